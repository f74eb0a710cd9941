// SPDX-License-Identifier: Apache-2.0
// The last look before something is done: why, and for what cannot wait, why not collect first.
import { Alert, Button, Checkbox, Radio, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Gate } from '../access/Gate';
import { address, ask, Failure } from '../api/client';
import type { Proposal } from '../api/contract';
import { client } from '../api/queries';
import type { Ordered } from '../api/respond';
import { Value } from '../text/Value';
import styles from './plans.module.css';
import { DO } from './telling';

export function Confirm(props: { name: string; order: Ordered; plans: Proposal[] }) {
  const { name, order, plans } = props;
  const navigate = useNavigate();
  const danger = order.verb === 'isolate';
  const [reason, setReason] = useState('');
  const [sure, setSure] = useState(false);
  const [without, setWithout] = useState(false);
  const [exception, setException] = useState('');
  const [chosen, setChosen] = useState<string[] | null>(null);
  // What is refused is left out by itself where other things can be done.
  const allowed = plans.filter((one) => one.refusals.length === 0);
  const usual = danger || allowed.length === 0 ? plans : allowed;
  const wanted = chosen ? plans.filter((one) => chosen.includes(one.action)) : usual;
  const missing = plans.flatMap((one) => one.uncollected);
  const refused = wanted.some((one) => one.refusals.length > 0);
  const deed = useMutation({
    mutationFn: () =>
      ask<{ runs: string[] }>('POST', address(['cases', name, 'runs']), {
        body: {
          ...order,
          only: wanted.map((one) => one.action),
          seen: wanted.map((one) => one.digest),
          reason: reason.trim(),
          collecting: missing.length > 0 && !without,
          exception: without ? exception.trim() : '',
        },
      }),
    onSuccess: (begun) => {
      void client.invalidateQueries({ queryKey: ['runs', name] });
      const last = begun.runs.at(danger ? -1 : 0);
      if (!last) return;
      void navigate({ to: '/cases/$case/respond/$run', params: { case: name, run: last } });
    },
    onError: () => void client.invalidateQueries({ queryKey: ['plans', name] }),
  });
  const ready =
    reason.trim() !== '' &&
    wanted.length > 0 &&
    !refused &&
    (!danger || sure) &&
    (!without || exception.trim() !== '');
  const problem = deed.error instanceof Failure ? deed.error.problem : null;
  const target = plans[0]?.target;
  return (
    <form
      className={styles.confirm}
      data-danger={danger || undefined}
      aria-label={`${DO[order.verb]} it`}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) deed.mutate();
      }}
    >
      {!danger && plans.length > 1 && (
        <Checkbox.Group
          label="What is collected"
          value={wanted.map((one) => one.action)}
          onChange={setChosen}
        >
          <div className={styles.choices}>
            {plans.map((one) => (
              <Checkbox
                key={one.action}
                value={one.action}
                label={one.title}
                disabled={one.refusals.length > 0}
              />
            ))}
          </div>
        </Checkbox.Group>
      )}
      {missing.length > 0 && (
        <Radio.Group
          label="What would be lost by isolating"
          value={without ? 'without' : 'first'}
          onChange={(value) => setWithout(value === 'without')}
        >
          <div className={styles.choices}>
            <Radio
              value="first"
              label={`Collect it first (${missing.join(', ')}), then isolate. Nothing is isolated should that fail.`}
            />
            <Radio value="without" label="Isolate at once, and lose it" />
          </div>
        </Radio.Group>
      )}
      {without && missing.length > 0 && (
        <TextInput
          label="Why it is not collected first"
          required
          maxLength={2000}
          value={exception}
          onChange={(event) => setException(event.currentTarget.value)}
        />
      )}
      <TextInput
        label="Reason"
        description="Stands in the ledger, signed, for whoever asks later."
        placeholder="GuardDuty finding 4711"
        required
        maxLength={2000}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {danger && (
        <Checkbox
          color="red"
          label="I have read what stops working."
          checked={sure}
          onChange={(event) => setSure(event.currentTarget.checked)}
        />
      )}
      {deed.isError && (
        <Alert color="red" title={problem?.detail || deed.error.message}>
          {problem?.advice}
        </Alert>
      )}
      <div className={styles.confirmEnd}>
        <Gate permission="respond" case={name}>
          <Button
            type="submit"
            size="md"
            color={danger ? 'red' : undefined}
            disabled={!ready}
            loading={deed.isPending}
          >
            <Value text={`${DO[order.verb]} ${target?.id ?? order.target}`} limit={90} />
          </Button>
        </Gate>
        <span className="muted">
          {danger
            ? 'It goes on by itself, step by step; what was there before is kept for the release.'
            : 'It goes on by itself; you can follow it, or leave the page.'}
        </span>
      </div>
    </form>
  );
}
