// SPDX-License-Identifier: Apache-2.0
// What is about all cases: which accounts Locard may act in, and what it has to be allowed there.
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useMay } from '../access/may';
import { cloudAccounts } from '../api/queries';
import frame from '../case/case.module.css';
import { Bones, Failed } from '../shell/States';
import { Accounts } from './Accounts';
import { Policy } from './Policy';
import styles from './respond.module.css';

export function Responding() {
  const leave = useMay('respond');
  useSearch({ from: '/inside/respond' });
  useEffect(() => {
    document.title = 'Respond · Locard';
    return () => {
      document.title = 'Locard';
    };
  }, []);
  return (
    <>
      <header className={styles.head}>
        <h1 style={{ fontSize: 15 }}>Respond</h1>
      </header>
      <div className={frame.body}>
        <div className={frame.sheet}>
          {leave.may ? <AccountsView /> : <p className="muted">{leave.why}</p>}
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
      <Policy accounts={found.data} />
    </>
  );
}
