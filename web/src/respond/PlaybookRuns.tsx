// SPDX-License-Identifier: Apache-2.0
// What playbooks do by themselves, and what they wait for people about.
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Gate } from '../access/Gate';
import { ask } from '../api/client';
import type { PlaybookRun } from '../api/contract';
import { playbookRuns } from '../api/queries';
import frame from '../case/case.module.css';
import { Wrong } from '../people/Given';
import { Failed } from '../shell/States';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { CaseLink, Parts } from './Parts';
import styles from './respond.module.css';
import { playbookStanding } from './telling';
import { changed, Waiting, whither } from './Waiting';

/** Runs of playbooks, those that wait for people first; of all cases when none is named. */
export function PlaybookRuns(props: { name: string }) {
  const found = useQuery(playbookRuns(props.name));
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  const waiting = found.data?.filter((one) => one.state === 'waiting') ?? [];
  const others = found.data?.filter((one) => one.state !== 'waiting') ?? [];
  return (
    <>
      {waiting.map((one) => (
        <Waiting key={one.id} one={one} apart={!props.name} />
      ))}
      {others.length > 0 && (
        <section className={frame.panel}>
          <h2>Playbooks</h2>
          {others.map((one) => (
            <PlaybookRunCard key={one.id} one={one} apart={!props.name} />
          ))}
        </section>
      )}
    </>
  );
}

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
        <p className={styles.wrong}>
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
