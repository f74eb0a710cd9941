// SPDX-License-Identifier: Apache-2.0
// What playbooks do by themselves, and what they wait for people about.
import { Button } from '@mantine/core';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Gate } from '../access/Gate';
import { ask } from '../api/client';
import type { PlaybookRun } from '../api/contract';
import { playbookRuns, waitingRuns } from '../api/respond';
import frame from '../case/case.module.css';
import { Wrong } from '../shell/Form';
import { Failed } from '../shell/States';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { Filter, Older } from './Listed';
import { CaseLink, Parts } from './Parts';
import styles from './playbooks.module.css';
import sheet from './respond.module.css';
import { playbookStanding } from './telling';
import { changed, Waiting, whither } from './Waiting';

const STATES: Record<string, string> = {
  '': 'All',
  due: 'At work',
  done: 'Done',
  failed: 'Failed',
  refused: 'Refused',
  lapsed: 'Lapsed',
};

/** Runs of playbooks, those that wait for people first; of all cases when none is named. */
export function PlaybookRuns(props: {
  name: string;
  only: string;
  choose: (state: string) => void;
}) {
  const { name, only } = props;
  const waiting = useInfiniteQuery(waitingRuns(name));
  const found = useInfiniteQuery(playbookRuns(name, only));
  const error = waiting.error ?? found.error;
  if (error && !(waiting.data && found.data)) {
    return <Failed error={error} again={() => void Promise.all([waiting, found].map(again))} />;
  }
  const others = found.data?.pages.flatMap((page) => page.runs) ?? [];
  return (
    <>
      {waiting.data?.pages
        .flatMap((page) => page.runs)
        .map((one) => (
          <Waiting key={one.id} one={one} apart={!name} />
        ))}
      <Older list={waiting} />
      {(others.length > 0 || only) && (
        <section className={frame.panel}>
          <h2>
            Playbooks
            <span className={frame.push} />
            <Filter label="Runs of playbooks" words={STATES} chosen={only} choose={props.choose} />
          </h2>
          {others.map((one) => (
            <PlaybookRunCard key={one.id} one={one} apart={!name} />
          ))}
          {others.length === 0 && <p className={sheet.none}>None is in this state.</p>}
          <Older list={found} />
        </section>
      )}
    </>
  );
}

const again = (query: { refetch: () => Promise<unknown> }) => query.refetch();

export function PlaybookRunCard(props: { one: PlaybookRun; apart: boolean }) {
  if (props.one.state === 'waiting') {
    return (
      <div className={styles.card}>
        <Waiting {...props} />
      </div>
    );
  }
  return <Card {...props} />;
}

function Card(props: { one: PlaybookRun; apart: boolean }) {
  const { one } = props;
  const { zone } = usePreferences();
  const { word, tone } = playbookStanding(one);
  const retry = useMutation({
    mutationFn: () => ask('POST', whither(one, 'retry')),
    onSettled: changed,
  });
  return (
    <article className={styles.card} aria-label={one.title}>
      <div className={styles.cardHead}>
        <h3>
          <Value text={one.title} limit={200} />
        </h3>
        <span className={frame.badge} data-tone={tone || undefined}>
          {tone === 'busy' && <span className={frame.spinner} />}
          {word}
        </span>
        <span className="faint">
          {short(one.started, zone)} · alert{' '}
          <Link to="/respond" search={{ view: 'alerts', alert: one.alert }}>
            {one.alert}
          </Link>
        </span>
        {props.apart && <CaseLink one={one} />}
        <span className={frame.push} />
        {(one.state === 'failed' || one.state === 'lapsed') && (
          <Gate permission="respond" case={one.case}>
            <Button
              size="compact-sm"
              variant="default"
              loading={retry.isPending}
              onClick={() => retry.mutate()}
            >
              {one.state === 'lapsed' ? 'Ask again' : 'Try again'}
            </Button>
          </Gate>
        )}
      </div>
      {one.error && (
        <p className={one.state === 'lapsed' ? undefined : sheet.wrong}>
          <Value text={one.error} limit={2000} />
        </p>
      )}
      <Parts one={one} />
      {one.approvals.map((each) => (
        <p key={`${each.who} ${each.time}`} className="muted">
          {each.agrees ? 'Agreed' : 'Refused'}
          {!each.counts && ' to what it asked before'} by <strong>{each.who}</strong>{' '}
          {short(each.time, zone)}: <Value text={each.reason} limit={600} />
        </p>
      ))}
      <Wrong error={retry.error} />
    </article>
  );
}
