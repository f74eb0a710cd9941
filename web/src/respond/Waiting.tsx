// SPDX-License-Identifier: Apache-2.0
// A run that goes no further until people have said yes or no. Who agrees has seen the plan as it is
// now, and agrees to its digest: what would be done meanwhile is asked about again.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Hourglass, RefreshCw } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Gate } from '../access/Gate';
import { address, ask } from '../api/client';
import type { PlaybookRun, PlaybookRunAsked } from '../api/contract';
import { client } from '../api/queries';
import { askedPlan } from '../api/respond';
import frame from '../case/case.module.css';
import { Decide } from '../custody/Danger';
import { Bones, Failed } from '../shell/States';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { CaseLink, Parts } from './Parts';
import { Note, PlanView } from './PlanView';
import styles from './playbooks.module.css';
import sheet from './respond.module.css';
import { awaited, leftOf, partSentence } from './telling';

export const changed = () => {
  for (const key of ['playbook-runs', 'runs', 'alerts', 'awaiting']) {
    void client.invalidateQueries({ queryKey: [key] });
  }
};

export const whither = (one: PlaybookRun, word: string) =>
  address(['cases', one.case, 'playbook-runs', one.id, word]);

export function Waiting(props: { one: PlaybookRun; apart: boolean }) {
  const { one } = props;
  const [deciding, setDeciding] = useState<'approve' | 'refuse' | null>(null);
  const next = one.parts.find((part) => part.state === 'pending' || part.state === 'begun');
  return (
    <section className={styles.waiting} aria-label="Waiting for approval">
      <header>
        <Hourglass size={16} aria-hidden />
        <h2>A playbook waits for {awaited(one)} to agree</h2>
        <span className={frame.badge} data-tone="warn">
          waiting
        </span>
        <Left one={one} />
        {props.apart && <CaseLink one={one} />}
      </header>
      <p>
        Next it would <strong>{next ? partSentence(next) : 'go on'}</strong>. Nothing of that is
        done until then. {one.title}.
      </p>
      <Changed lines={one.changed} />
      <Parts one={one} />
      <Said one={one} />
      <div className={sheet.waitingEnd}>
        <Gate permission="respond" case={one.case}>
          <Button color="red" disabled={!one.asks_you} onClick={() => setDeciding('approve')}>
            See the plan and agree…
          </Button>
        </Gate>
        <Gate permission="respond" case={one.case}>
          <Button variant="default" onClick={() => setDeciding('refuse')}>
            Refuse…
          </Button>
        </Gate>
      </div>
      {deciding === 'approve' && <Agree one={one} close={() => setDeciding(null)} />}
      <Decide
        title={`Refuse: ${one.title}`}
        name={one.case}
        button="Refuse for good"
        opened={deciding === 'refuse'}
        close={() => setDeciding(null)}
        act={async (reason) => {
          await ask('POST', whither(one, 'refuse'), { body: { reason } });
          changed();
        }}
      >
        <p>
          What it has not done yet is not done any more. Evidence that it took stays. You can still
          collect and isolate by hand.
        </p>
      </Decide>
    </section>
  );
}

/** Who agreed, and who does not count. */
function Said(props: { one: PlaybookRun }) {
  const { one } = props;
  const agreed = one.approvals.filter((each) => each.agrees && each.counts);
  const before = one.approvals.filter((each) => each.agrees && !each.counts);
  return (
    <div className={styles.said}>
      {agreed.length > 0 && (
        <p>
          Agreed: <Value text={agreed.map((each) => `${each.who} (${each.reason})`).join('; ')} />
          {!one.asks_you && !one.barred && '. It waits for others, and not for you.'}
        </p>
      )}
      {before.length > 0 && (
        <p className="muted">
          Agreed to what it asked before, which does not count any more:{' '}
          <Value text={before.map((each) => each.who).join(', ')} />
        </p>
      )}
      {one.barred ? (
        <p className={styles.barred}>
          <Value text={one.barred} limit={300} />
        </p>
      ) : (
        one.enabled_by && (
          <p className="muted">
            <Value text={one.enabled_by} limit={80} /> switched the playbook on, and does not count
            as an approver of its runs.
          </p>
        )
      )}
    </div>
  );
}

const TICK = 20_000;

/** Until when it waits, and how long that is from now. */
function Left(props: { one: PlaybookRun }) {
  const { zone } = usePreferences();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), TICK);
    return () => window.clearInterval(timer);
  }, []);
  if (!props.one.lapses) return null;
  return (
    <span className="muted">
      until {short(props.one.lapses, zone)} {zone}, <strong>{leftOf(props.one, now)}</strong>; then
      it lapses
    </span>
  );
}

function Changed(props: { lines: string[] }) {
  if (props.lines.length === 0) return null;
  return (
    <Note tone="warn" icon={RefreshCw} title="Asked again, for the plan has changed">
      <ul className={styles.changes}>
        {props.lines.map((line) => (
          <li key={line}>
            <Value text={line} limit={600} />
          </li>
        ))}
      </ul>
    </Note>
  );
}

/** The plan as it is now, and the yes to exactly that. */
function Agree(props: { one: PlaybookRun; close: () => void }) {
  const { one } = props;
  const asked = useQuery(askedPlan(one.case, one.id));
  const next = one.parts.find((part) => part.state === 'pending' || part.state === 'begun');
  const left = one.approvers - one.agreed;
  return (
    <Decide
      title={`Agree: ${next ? partSentence(next) : one.title}`}
      name={one.case}
      button="Agree"
      danger="I have read what it would do, and agree to exactly that."
      about={asked.data?.plan}
      ready={asked.data !== undefined && !asked.isFetching}
      opened
      close={props.close}
      act={async (reason) => {
        try {
          await ask('POST', whither(one, 'approve'), {
            body: { reason, plan: asked.data?.plan },
          });
        } catch (error) {
          void asked.refetch();
          throw error;
        } finally {
          changed();
        }
      }}
    >
      <p>
        {left > 1
          ? `${left} different people have to agree; you are one of them. `
          : 'It goes on at once, and by itself. '}
        Everything that it isolates can be put back from its run. If the plan is another when it
        comes to it, nothing is done and people are asked again.
      </p>
      {asked.isError ? (
        <Failed error={asked.error} again={() => void asked.refetch()} />
      ) : asked.data ? (
        <Exactly asked={asked.data} />
      ) : (
        <Bones rows={5} />
      )}
    </Decide>
  );
}

function Exactly(props: { asked: PlaybookRunAsked }) {
  const { asked } = props;
  return (
    <>
      <Changed lines={asked.changed} />
      <section className={styles.planInside} aria-label="What you agree to">
        {asked.plans.map((plan) => (
          <PlanView key={`${plan.action} ${plan.target.id}`} plan={plan} />
        ))}
      </section>
      <p className="faint">
        This plan: <span className="mono">{asked.plan.slice(0, 16)}</span>
      </p>
    </>
  );
}
