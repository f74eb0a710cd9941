// SPDX-License-Identifier: Apache-2.0
import { Button, Switch } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BookOpenCheck, Check, Minus, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '../access/may';
import { address, ask } from '../api/client';
import type { Playbook, Trial } from '../api/contract';
import { client } from '../api/queries';
import { playbooks as playbooksQuery, trials } from '../api/respond';
import frame from '../case/case.module.css';
import { Confirm } from '../people/Confirm';
import { Wrong } from '../shell/Form';
import { Bones, Failed } from '../shell/States';
import { counted } from '../text/number';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { Severity } from './Alerts';
import { Note } from './PlanView';
import styles from './playbooks.module.css';
import sheet from './respond.module.css';
import { partSentence } from './telling';

/** What is done by rule: each is off until somebody has looked at it and switched it on. */
export function Playbooks() {
  const found = useQuery(playbooksQuery());
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  if (!found.data) return <Bones rows={6} height={30} />;
  return (
    <>
      {found.data.faulty.map((one) => (
        <Note key={one.id} tone="bad" icon={TriangleAlert} title={`${one.id} is no playbook`}>
          <Value text={one.problem} limit={2000} lines />
        </Note>
      ))}
      <section className={frame.panel}>
        <h2>
          <BookOpenCheck size={15} /> Playbooks
          <span className="muted">
            {found.data.playbooks.filter((one) => one.enabled).length} of{' '}
            {found.data.playbooks.length} on
          </span>
        </h2>
        {found.data.playbooks.map((one) => (
          <Card key={one.id} one={one} />
        ))}
      </section>
    </>
  );
}

const ASKS: Record<string, string> = {
  never: 'asks nobody',
  'before-containing': 'asks before it isolates',
  always: 'asks before it does anything',
};

function Card(props: { one: Playbook }) {
  const { one } = props;
  const { zone } = usePreferences();
  const manage = useMay('settings');
  const [look, setLook] = useState<'' | 'trials' | 'text'>('');
  const [asking, setAsking] = useState(false);
  const change = useMutation({
    mutationFn: (enabled: boolean) =>
      ask('PUT', address(['playbooks', one.id]), { body: { enabled } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['playbooks'] }),
  });
  const isolates = one.then.some((each) => each.does === 'isolate');
  const toggle = (name: 'trials' | 'text') => setLook(look === name ? '' : name);
  return (
    <article className={styles.card} aria-label={one.title}>
      <div className={styles.cardHead}>
        <Switch
          aria-label={`${one.title}: on`}
          title={manage.why || undefined}
          disabled={!manage.may || change.isPending}
          checked={one.enabled}
          onChange={(event) =>
            event.currentTarget.checked && isolates
              ? setAsking(true)
              : change.mutate(event.currentTarget.checked)
          }
        />
        <h3>
          <Value text={one.title} limit={200} />
        </h3>
        <span className="faint">
          {one.enabled
            ? `on since ${short(one.enabled_at, zone)}, by ${one.enabled_by}`
            : one.changed
              ? 'off: its text has changed since it was switched on'
              : 'off'}
        </span>
      </div>
      <p className="muted">
        <Value text={one.about.trim()} limit={1000} />
      </p>
      <p>
        {one.then.map((each) => each.does).join(', then ')} · {ASKS[one.asking] ?? one.asking}
        {one.asking !== 'never' && one.approvers > 1 && ` (${one.approvers} people)`}
        {isolates && ` · isolates ${counted(one.targets_per_hour, 'target')} an hour at most`}
        {!one.shipped && ' · your own'}
      </p>
      <Wrong error={change.error} />
      <div className={sheet.waitingEnd}>
        <Button
          size="compact-sm"
          variant="default"
          aria-expanded={look === 'trials'}
          onClick={() => toggle('trials')}
        >
          What it would have done
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          aria-expanded={look === 'text'}
          onClick={() => toggle('text')}
        >
          Its text
        </Button>
      </div>
      {look === 'text' && <pre className={sheet.given}>{one.text}</pre>}
      {look === 'trials' && <Trials name={one.id} />}
      {asking && (
        <Confirm
          title={`Switch on: ${one.title}`}
          word="Switch it on"
          close={() => setAsking(false)}
          run={() => change.mutate(true)}
        >
          From now on it acts by itself on every alert that matches, and it {ASKS[one.asking]}. It
          isolates {counted(one.targets_per_hour, 'target')} an hour at most. Look first at what it
          would have done about past alerts.
        </Confirm>
      )}
    </article>
  );
}

function Trials(props: { name: string }) {
  const found = useQuery(trials(props.name));
  if (found.isError) return <Failed error={found.error} />;
  if (!found.data) return <Bones rows={3} />;
  if (found.data.length === 0) return <p className="muted">No alert came yet to try it on.</p>;
  const matching = found.data.filter((one) => one.matches).length;
  return (
    <>
      <p>
        It would have acted on <strong>{matching}</strong> of the last{' '}
        {counted(found.data.length, 'alert')}. Nothing is done by looking.
      </p>
      <div className={styles.trials}>
        {found.data.map((one) => (
          <TrialLine key={one.alert} one={one} />
        ))}
      </div>
    </>
  );
}

function TrialLine(props: { one: Trial }) {
  const { one } = props;
  return (
    <div className={styles.trial}>
      {one.matches ? (
        <Check size={14} style={{ color: 'var(--good)', marginTop: 3 }} aria-label="it would act" />
      ) : (
        <Minus
          size={14}
          style={{ color: 'var(--faint)', marginTop: 3 }}
          aria-label="it would not"
        />
      )}
      <div>
        <Link to="/respond" search={{ view: 'alerts', alert: one.alert }}>
          <Value text={one.title} limit={200} />
        </Link>{' '}
        <Severity text={one.severity} />
        <small className="muted">
          <Value text={one.why} limit={600} />
        </small>
        {one.parts.length > 0 && (
          <small>It would {one.parts.map((part) => partSentence(part)).join('; then ')}.</small>
        )}
        {one.errors.map((text) => (
          <small key={text} className={sheet.wrong}>
            <Value text={text} limit={600} />
          </small>
        ))}
      </div>
    </div>
  );
}
