// SPDX-License-Identifier: Apache-2.0
// What playbooks do by themselves, and what they wait for people about.
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Ban, Check, CircleAlert, CircleDashed, Hourglass } from 'lucide-react';
import { useState } from 'react';
import { Gate } from '../access/Gate';
import { address, ask } from '../api/client';
import type { Part, PlaybookRun } from '../api/contract';
import { client, cloudAccounts, type Ordered, playbookRuns, proposals } from '../api/queries';
import frame from '../case/case.module.css';
import { Decide } from '../custody/Danger';
import { Wrong } from '../people/Given';
import { Bones, Failed } from '../shell/States';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { PlanView } from './PlanView';
import styles from './respond.module.css';
import { partSentence, playbookStanding } from './telling';

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

const changed = () => {
  for (const key of ['playbook-runs', 'runs', 'alerts']) {
    void client.invalidateQueries({ queryKey: [key] });
  }
};

const whither = (one: PlaybookRun, word: string) =>
  address(['cases', one.case, 'playbook-runs', one.id, word]);

/** A run that goes no further until people have said yes or no. */
function Waiting(props: { one: PlaybookRun; apart: boolean }) {
  const { one } = props;
  const [deciding, setDeciding] = useState<'approve' | 'refuse' | null>(null);
  const next = one.parts.find((part) => part.state === 'pending' || part.state === 'begun');
  const agreed = one.approvals.filter((each) => each.agrees);
  const left = one.approvers - agreed.length;
  const target = next?.target;
  return (
    <section className={styles.waiting} aria-label="Waiting for approval">
      <header>
        <Hourglass size={16} aria-hidden />
        <h2>A playbook waits for {left > 1 ? `${left} people` : 'somebody'} to agree</h2>
        <span className={frame.badge} data-tone="warn">
          waiting
        </span>
        {props.apart && <CaseLink one={one} />}
      </header>
      <p>
        Next it would <strong>{next ? partSentence(next) : 'go on'}</strong>. Nothing of that is
        done until then. {one.title}.
      </p>
      <Parts one={one} />
      {agreed.length > 0 && (
        <p className="muted">
          Agreed: <Value text={agreed.map((each) => `${each.who} (${each.reason})`).join('; ')} />
        </p>
      )}
      <div className={styles.waitingEnd}>
        <Gate permission="respond" case={one.case}>
          <Button color="red" onClick={() => setDeciding('approve')}>
            Agree…
          </Button>
        </Gate>
        <Gate permission="respond" case={one.case}>
          <Button variant="default" onClick={() => setDeciding('refuse')}>
            Refuse…
          </Button>
        </Gate>
        {target && next?.does === 'isolate' && (
          <Link
            to="/cases/$case/respond"
            params={{ case: one.case }}
            search={{ verb: 'isolate', target: target.id }}
          >
            <Button variant="subtle" component="span">
              See its whole plan
            </Button>
          </Link>
        )}
      </div>
      <Decide
        title={
          deciding === 'refuse'
            ? `Refuse: ${one.title}`
            : `Agree: ${next ? partSentence(next) : ''}`
        }
        name={one.case}
        button={deciding === 'refuse' ? 'Refuse for good' : 'Agree'}
        danger={deciding === 'approve' ? 'I have read what it would do, and agree.' : undefined}
        opened={deciding !== null}
        close={() => setDeciding(null)}
        act={async (reason) => {
          await ask('POST', whither(one, deciding ?? 'refuse'), { body: { reason } });
          changed();
        }}
      >
        {deciding === 'refuse' ? (
          <p>
            What it has not done yet is not done any more. Evidence that it took stays. You can
            still collect and isolate by hand.
          </p>
        ) : (
          <>
            <p>
              {left > 1
                ? `${left} people have to agree; you are one of them. `
                : 'It goes on at once, and by itself. '}
              Everything that it isolates can be put back from its run.
            </p>
            {next?.does === 'isolate' && deciding && <ItsPlan part={next} name={one.case} />}
          </>
        )}
      </Decide>
    </section>
  );
}

/** What would be done to the target now, before somebody agrees to it. */
function ItsPlan(props: { part: Part; name: string }) {
  const { part } = props;
  const accounts = useQuery(cloudAccounts());
  const target = part.target;
  const account = accounts.data?.find((one) => one.number === target?.account);
  const plan = useQuery({
    ...proposals(props.name, {
      verb: 'isolate',
      target: target?.id ?? '',
      account: account?.name ?? '',
      region: target?.region ?? '',
      options: part.options as Ordered['options'],
    }),
    enabled: account !== undefined,
  });
  const fitting = plan.data?.filter((one) => one.action === part.what) ?? [];
  if (plan.isError) return <Failed error={plan.error} again={() => void plan.refetch()} />;
  if (accounts.data && !account) {
    return <p className={styles.wrong}>Locard was not let into account {target?.account}.</p>;
  }
  if (!plan.data) return <Bones rows={5} />;
  return (
    <div className={styles.planInside}>
      {fitting.map((one) => (
        <PlanView key={one.action} plan={one} />
      ))}
    </div>
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
        {one.state === 'failed' && (
          <Gate permission="respond" case={one.case}>
            <Button
              size="compact-sm"
              variant="default"
              loading={retry.isPending}
              onClick={() => retry.mutate()}
            >
              Try again
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
          {each.agrees ? 'Agreed' : 'Refused'} by <strong>{each.who}</strong>{' '}
          {short(each.time, zone)}: <Value text={each.reason} limit={600} />
        </p>
      ))}
      <Wrong error={retry.error} />
    </article>
  );
}

function CaseLink(props: { one: PlaybookRun }) {
  return (
    <Link to="/cases/$case/respond" params={{ case: props.one.case }} search={{}}>
      case {props.one.case}
    </Link>
  );
}

const ICONS: Record<string, typeof Check> = {
  done: Check,
  failed: CircleAlert,
  refused: Ban,
  pending: CircleDashed,
};
const COLOURS: Record<string, string> = {
  done: 'var(--good)',
  failed: 'var(--bad)',
  refused: 'var(--warn)',
  pending: 'var(--faint)',
};

function Parts(props: { one: PlaybookRun }) {
  const { one } = props;
  return (
    <ol className={styles.parts}>
      {one.parts.map((part) => (
        <PartLine key={part.number} part={part} name={one.case} />
      ))}
    </ol>
  );
}

function PartLine(props: { part: Part; name: string }) {
  const { part } = props;
  const Icon = ICONS[part.state];
  return (
    <li className={styles.partLine}>
      <span style={{ color: COLOURS[part.state] }}>
        {Icon ? <Icon size={14} aria-label={part.state} /> : <span className={frame.spinner} />}
      </span>
      <span>
        {capital(partSentence(part))}
        {part.error && (
          <small className={styles.wrong} style={{ display: 'block' }}>
            <Value text={part.error} limit={1000} />
          </small>
        )}
      </span>
      {part.run && (
        <Link to="/cases/$case/respond/$run" params={{ case: props.name, run: part.run }}>
          Follow it
        </Link>
      )}
    </li>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
