// SPDX-License-Identifier: Apache-2.0
// Custody of every case that the person sees; for administrators, what happened to the installation.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, CircleDashed, Lock, ScrollText } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { useMay } from '../access/may';
import type { CustodyOverview } from '../api/contract';
import { custodyOverview } from '../api/custody';
import frame from '../case/case.module.css';
import { Bones, Failed, Nothing } from '../shell/States';
import { count, counted } from '../text/number';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './custody.module.css';
import { Entries, Filters } from './Entries';
import { KINDS } from './telling';
import { Key } from './Verify';

export function AllCases() {
  const found = useQuery(custodyOverview());
  const { may } = useMay('people');
  useEffect(() => {
    document.title = 'Custody · Locard';
  }, []);
  if (found.isError && !found.data) {
    return <Failed whole error={found.error} again={() => void found.refetch()} />;
  }
  return (
    <div className={frame.body}>
      <div className={frame.sheet}>
        <h1>Custody</h1>
        {!found.data ? (
          <Bones rows={8} height={22} />
        ) : found.data.cases.length === 0 ? (
          <Nothing
            icon={<ScrollText size={20} />}
            title="No case yet"
            actions={
              <Link to="/cases">
                <Button component="span">All cases</Button>
              </Link>
            }
          >
            <p>Custody begins with the first piece of evidence that is taken into a case.</p>
          </Nothing>
        ) : (
          <>
            <Lead all={found.data} />
            <div className={`${frame.stack} ${styles.columns}`}>
              <Cases all={found.data} />
              <Key signing={found.data.signing} />
            </div>
          </>
        )}
        {may && found.data && <Installation />}
      </div>
    </div>
  );
}

function Lead(props: { all: CustodyOverview }) {
  const { cases } = props.all;
  const exhibits = cases.reduce((sum, one) => sum + one.exhibits, 0);
  const held = cases.filter((one) => one.held).length;
  const failed = cases.filter((one) => one.passed === false);
  const never = cases.filter((one) => one.passed === null).length;
  const waiting = cases.reduce((sum, one) => sum + one.waiting, 0);
  return (
    <p className={frame.lead}>
      {counted(exhibits, 'exhibit')} in {counted(cases.length, 'case')},{' '}
      {held > 0 ? `${count(held)} of them` : 'none'} under legal hold.{' '}
      {failed.length > 0 && (
        <strong className={styles.alarm}>
          Verification FAILED in {failed.map((one) => one.name).join(', ')}.{' '}
        </strong>
      )}
      {never > 0 && `${counted(never, 'case')} ${never === 1 ? 'was' : 'were'} never verified. `}
      {waiting > 0 &&
        `${counted(waiting, 'disposal')} ${waiting === 1 ? 'waits' : 'wait'} for a second person.`}
    </p>
  );
}

function Cases(props: { all: CustodyOverview }) {
  const { zone } = usePreferences();
  return (
    <section className={frame.panel} aria-label="Cases">
      <h2>Cases</h2>
      <div style={{ overflowX: 'auto' }}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th>Case</th>
              <th className={frame.right}>Exhibits</th>
              <th className={frame.right}>Entries</th>
              <th>Last entry</th>
              <th>Kept</th>
              <th>Verified</th>
            </tr>
          </thead>
          <tbody>
            {props.all.cases.map((one) => (
              <tr key={one.name}>
                <td>
                  <Link to="/cases/$case/custody" params={{ case: one.name }} search={{}}>
                    <Value text={one.name} limit={80} />
                  </Link>
                </td>
                <td className={`number ${frame.right}`}>{count(one.exhibits)}</td>
                <td className={`number ${frame.right}`}>{count(one.entries)}</td>
                <td className="muted number">{short(one.last, zone)}</td>
                <td>
                  {one.held ? (
                    <span className={frame.badge} data-tone="busy">
                      <Lock size={12} /> legal hold
                    </span>
                  ) : one.until ? (
                    <span className="muted">until {short(one.until, zone).slice(0, 10)}</span>
                  ) : (
                    <span className="faint">nobody said how long</span>
                  )}
                  {one.waiting > 0 && ' '}
                  {one.waiting > 0 && (
                    <Link
                      to="/cases/$case/custody"
                      params={{ case: one.name }}
                      search={{ view: 'keeping' }}
                      className={frame.badge}
                      data-tone="warn"
                    >
                      {counted(one.waiting, 'disposal')} to decide
                    </Link>
                  )}
                </td>
                <td>
                  <Link
                    to="/cases/$case/custody"
                    params={{ case: one.name }}
                    search={{ view: 'verify' }}
                  >
                    <Verified passed={one.passed} at={short(one.verified, zone)} />
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Verified(props: { passed: boolean | null; at: string }) {
  if (props.passed === null) {
    return (
      <span className={frame.badge}>
        <CircleDashed size={12} /> never
      </span>
    );
  }
  return (
    <span className={frame.badge} data-tone={props.passed ? 'good' : 'bad'}>
      {props.passed ? <CircleCheck size={12} /> : <CircleAlert size={12} />}
      {props.passed ? 'nothing failed' : 'FAILED'} {props.at}
    </span>
  );
}

function Installation() {
  const search = useSearch({ from: '/inside/custody' });
  const navigate = useNavigate({ from: '/custody' });
  const kind = search.kind ? KINDS[search.kind] : undefined;
  const asked = useMemo(() => ({ verb: kind?.verbs, actor: search.who }), [kind, search.who]);
  return (
    <section className={frame.stack} style={{ gap: 14 }} aria-label="The installation">
      <h2>What happened to the installation</h2>
      <Filters
        name=""
        kinds={['people', 'checked', 'trouble']}
        kind={search.kind}
        setKind={(next) =>
          void navigate({ search: (now) => ({ ...now, kind: next }), replace: true })
        }
        who={search.who}
        setWho={(who) => void navigate({ search: (now) => ({ ...now, who }), replace: true })}
      />
      <Entries name="" asked={asked} />
    </section>
  );
}
