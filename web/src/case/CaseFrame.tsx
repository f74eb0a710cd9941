// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useParams } from '@tanstack/react-router';
import { useEffect } from 'react';
import { oneCase } from '../api/queries';
import { isRunning, useProgress } from '../shell/Progress';
import { Failed } from '../shell/States';
import { Value } from '../text/Value';
import styles from './case.module.css';
import { ProgressContext } from './progress';

export function CaseFrame() {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const found = useQuery(oneCase(name));
  const progress = useProgress(name);
  const running = progress.filter(isRunning);
  const first = running[0];

  useEffect(() => {
    document.title = `${name} · Locard`;
    return () => {
      document.title = 'Locard';
    };
  }, [name]);

  if (found.isError && !found.data) {
    return <Failed whole error={found.error} again={() => void found.refetch()} />;
  }
  return (
    <>
      <header className={styles.head}>
        <div className={styles.crumb}>
          <h1 className="clip" style={{ fontSize: 15, maxWidth: '32vw' }} title={found.data?.title}>
            <Value text={name} limit={80} />
          </h1>
        </div>
        {found.data?.simulated && (
          <span className={styles.simulated} title="This evidence was written by Locard itself">
            Simulated
          </span>
        )}
        <nav className={styles.tabs} aria-label="Views of the case">
          <Link
            to="/cases/$case"
            params={{ case: name }}
            activeOptions={{ exact: true, includeSearch: false }}
            className={styles.tab}
          >
            Overview
          </Link>
          <Link
            to="/cases/$case/timeline"
            params={{ case: name }}
            activeOptions={{ includeSearch: false }}
            className={styles.tab}
          >
            Timeline
          </Link>
          <Link
            to="/cases/$case/evidence"
            params={{ case: name }}
            activeOptions={{ includeSearch: false }}
            className={styles.tab}
          >
            Evidence
          </Link>
          <Link
            to="/cases/$case/respond"
            params={{ case: name }}
            activeOptions={{ includeSearch: false }}
            className={styles.tab}
          >
            Respond
          </Link>
          <Link to="/cases/$case/custody" params={{ case: name }} className={styles.tab}>
            Custody
          </Link>
          {found.data?.may.includes('grant') && (
            <Link to="/cases/$case/people" params={{ case: name }} className={styles.tab}>
              People
            </Link>
          )}
        </nav>
        <span className={styles.push} />
        {first && (
          <Link to="/cases/$case/evidence" params={{ case: name }} className={styles.running}>
            <span className={styles.spinner} />
            <span className="clip">
              {running.length > 1 && `${running.length} jobs · `}
              <Value text={first.what} limit={60} /> {first.stage}
            </span>
            {first.total ? (
              <span className="number">
                {Math.floor(Math.min(1, first.done / first.total) * 100)} %
              </span>
            ) : null}
          </Link>
        )}
      </header>
      <ProgressContext value={progress}>
        <Outlet />
      </ProgressContext>
    </>
  );
}
