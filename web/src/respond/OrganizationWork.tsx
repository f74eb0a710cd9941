// SPDX-License-Identifier: Apache-2.0
// Work on an organization, live: how far it is, and each account with what became of it.
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { OrganizationWork as Work } from '../api/contract';
import { client } from '../api/queries';
import { organizationWork, organizationWorks } from '../api/respond';
import frame from '../case/case.module.css';
import { isRunning, ProgressLine } from '../shell/Progress';
import { Failed } from '../shell/States';
import { counted } from '../text/number';
import { Value } from '../text/Value';
import styles from './respond.module.css';
import type { Tone } from './telling';

/** One work, as it goes and as it ended; it goes on when the page is left. */
export function WorkShown(props: { job: string; adds?: boolean }) {
  const found = useQuery(organizationWork(props.job));
  const work = found.data;
  const ended = work && !isRunning(work.progress);
  useEffect(() => {
    if (ended && props.adds) void client.invalidateQueries({ queryKey: ['accounts'] });
  }, [ended, props.adds]);
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  if (!work) return null;
  return (
    <>
      {!ended && <ProgressLine progress={work.progress} />}
      {work.error && (
        <p className={styles.breaking} role="alert">
          <Value text={`${work.error} ${work.advice}`.trim()} limit={1000} />
        </p>
      )}
      {work.members.length > 0 && <Members found={work} done={props.adds} />}
    </>
  );
}

/** What others began, or what was begun before this was opened, while it runs. */
export function RunningWorks(props: { own: string[] }) {
  const found = useQuery(organizationWorks());
  return (found.data ?? [])
    .filter((one) => isRunning(one.progress) && !props.own.includes(one.progress.job))
    .map((one) => <WorkShown key={one.progress.job} job={one.progress.job} adds />);
}

const STATES: Record<string, { word: string; tone: Tone }> = {
  open: { word: 'can be entered', tone: 'good' },
  added: { word: 'added', tone: 'good' },
  known: { word: 'known already', tone: '' },
  refused: { word: 'cannot be entered', tone: 'bad' },
  inactive: { word: 'not active', tone: '' },
  gone: { word: 'has left', tone: 'warn' },
  forgotten: { word: 'forgotten', tone: '' },
};

/** What somebody has to do something about stands first; else the order of the organization. */
const first = (one: Work['members'][number], other: typeof one) =>
  Number(other.state === 'refused') - Number(one.state === 'refused');

/** Each account with what becomes of it, and why. */
function Members(props: { found: Work; done?: boolean }) {
  const { members, progress } = props.found;
  const running = isRunning(progress);
  const of = (state: string) => members.filter((one) => one.state === state).length;
  const into = of(props.done ? 'added' : 'open');
  return (
    <div role="status">
      <p>
        <strong>
          {counted(members.length, 'account')}
          {running && ' so far'}: {into} {props.done ? 'added' : 'can be entered'}
        </strong>
        {of('refused') > 0 && `, ${of('refused')} cannot be entered`}
        {of('known') > 0 && `, ${of('known')} known already`}.{' '}
        {!running && of('refused') > 0 && 'What cannot be entered can be tried again later.'}
      </p>
      <div className={styles.table}>
        <table>
          <thead>
            <tr>
              <th>Account</th>
              <th>Name</th>
              <th>Result</th>
              <th>Why</th>
            </tr>
          </thead>
          <tbody>
            {[...members].sort(first).map((one) => (
              <tr key={one.number}>
                <td className={`mono ${styles.whole}`}>{one.number}</td>
                <td>
                  <Value text={one.name} limit={80} />
                </td>
                <td>
                  <span className={frame.badge} data-tone={STATES[one.state]?.tone || undefined}>
                    {STATES[one.state]?.word ?? one.state}
                  </span>
                </td>
                <td className="muted">
                  <Value text={one.reason} limit={600} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
