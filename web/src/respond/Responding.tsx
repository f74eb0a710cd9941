// SPDX-License-Identifier: Apache-2.0
// What is about all cases: alerts, what is done about them by rule, and where Locard may act.
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useMay } from '../access/may';
import { cloudAccounts } from '../api/respond';
import frame from '../case/case.module.css';
import { Bones, Failed } from '../shell/States';
import { Accounts } from './Accounts';
import { AlertPage, Alerts } from './Alerts';
import { VIEWS, type View } from './address';
import { Organization } from './Organization';
import { Playbooks } from './Playbooks';
import { Policy } from './Policy';

const TITLES: Record<View, string> = {
  alerts: 'Alerts',
  playbooks: 'Playbooks',
  accounts: 'Accounts',
};

export function Responding() {
  const leave = useMay('respond');
  const search = useSearch({ from: '/inside/respond' });
  const view = search.view ?? 'alerts';
  useEffect(() => {
    document.title = 'Respond · Locard';
    return () => {
      document.title = 'Locard';
    };
  }, []);
  return (
    <>
      <header className={frame.head}>
        <h1 style={{ fontSize: 15 }}>Respond</h1>
        <nav className={frame.views} aria-label="Views">
          {VIEWS.map((each) => (
            <Link
              key={each}
              to="/respond"
              search={{ view: each }}
              className={frame.view}
              data-chosen={view === each || undefined}
              aria-current={view === each ? 'page' : undefined}
            >
              {TITLES[each]}
            </Link>
          ))}
        </nav>
      </header>
      <div className={frame.body}>
        <div className={frame.sheet}>
          {view === 'alerts' ? (
            search.alert ? (
              <AlertPage id={search.alert} />
            ) : (
              <Alerts />
            )
          ) : !leave.may ? (
            <p className="muted">{leave.why}</p>
          ) : view === 'playbooks' ? (
            <Playbooks />
          ) : (
            <AccountsView />
          )}
        </div>
      </div>
    </>
  );
}

function AccountsView() {
  const found = useQuery(cloudAccounts());
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  if (!found.data) return <Bones rows={5} height={24} />;
  return (
    <>
      <Accounts accounts={found.data} />
      <Organization accounts={found.data} />
      <Policy accounts={found.data} />
    </>
  );
}
