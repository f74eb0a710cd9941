// SPDX-License-Identifier: Apache-2.0
import { Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask } from '../api/client';
import type { Disposal, DisposalPlan } from '../api/contract';
import { Bones, Failed } from '../shell/States';
import styles from './custody.module.css';
import { Decide, Plan } from './Danger';

interface Shown {
  name: string;
  opened: boolean;
  close: () => void;
}

const NO_AUTHORITY = {
  kind: 'warrant',
  reference: '',
  issued_by: '',
  valid_from: '',
  valid_to: '',
  scope: '',
};

export function AuthorityDialog(props: Shown) {
  const [said, setSaid] = useState(NO_AUTHORITY);
  const put = (change: Partial<typeof NO_AUTHORITY>) => setSaid((now) => ({ ...now, ...change }));
  return (
    <Decide
      title={`Authority to take evidence into case ${props.name}`}
      name={props.name}
      button="Enter"
      opened={props.opened}
      close={() => {
        setSaid(NO_AUTHORITY);
        props.close();
      }}
      reason="none"
      ready={said.reference.trim() !== ''}
      act={() => ask('POST', address(['cases', props.name, 'authority']), { body: said })}
    >
      <p className="muted">
        Every exhibit that is taken in from now on carries it. What was taken in before keeps what
        it has.
      </p>
      <Select
        label="Kind"
        data={['warrant', 'consent', 'policy', 'contract']}
        allowDeselect={false}
        value={said.kind}
        onChange={(kind) => put({ kind: kind ?? 'warrant' })}
      />
      <TextInput
        label="Reference"
        description="By which somebody else finds it."
        placeholder="Gs 12/26"
        required
        data-autofocus
        maxLength={300}
        value={said.reference}
        onChange={(event) => put({ reference: event.currentTarget.value })}
      />
      <TextInput
        label="Issued by"
        maxLength={300}
        value={said.issued_by}
        onChange={(event) => put({ issued_by: event.currentTarget.value })}
      />
      <div className={styles.pairOfInputs}>
        <TextInput
          label="Valid from"
          type="date"
          value={said.valid_from}
          onChange={(event) => put({ valid_from: event.currentTarget.value })}
        />
        <TextInput
          label="Valid to"
          type="date"
          value={said.valid_to}
          onChange={(event) => put({ valid_to: event.currentTarget.value })}
        />
      </div>
      <TextInput
        label="Scope"
        description="What it covers, and what it does not."
        maxLength={2000}
        value={said.scope}
        onChange={(event) => put({ scope: event.currentTarget.value })}
      />
    </Decide>
  );
}

export function HoldDialog(props: Shown) {
  const [reference, setReference] = useState('');
  return (
    <Decide
      title={`Put case ${props.name} under legal hold`}
      name={props.name}
      button="Put the hold"
      opened={props.opened}
      close={() => {
        setReference('');
        props.close();
      }}
      act={(reason) =>
        ask('POST', address(['cases', props.name, 'holds']), { body: { reference, reason } })
      }
    >
      <p className="muted">
        Nothing of the case can be disposed of until a person releases it, whatever the retention
        says. Stores that can refuse deletion are told to.
      </p>
      <TextInput
        label="Reference"
        description="The matter, order or letter behind it."
        placeholder="2026/17"
        data-autofocus
        maxLength={2000}
        value={reference}
        onChange={(event) => setReference(event.currentTarget.value)}
      />
    </Decide>
  );
}

export function RetainDialog(props: Shown) {
  const [until, setUntil] = useState('');
  return (
    <Decide
      title={`How long case ${props.name} is kept`}
      name={props.name}
      button="Keep until then"
      opened={props.opened}
      close={() => {
        setUntil('');
        props.close();
      }}
      ready={until !== ''}
      act={(reason) =>
        ask('POST', address(['cases', props.name, 'retention']), { body: { until, reason } })
      }
    >
      <p className="muted">
        It can be lengthened later, never shortened. In a store that locks objects in compliance
        mode nobody can delete before that day, not even its owner.
      </p>
      <TextInput
        label="Last day"
        type="date"
        required
        data-autofocus
        value={until}
        onChange={(event) => setUntil(event.currentTarget.value)}
      />
    </Decide>
  );
}

/** Asks for the disposal of all of the case, or of one exhibit with what was taken out of it. */
export function AskDialog(props: Shown & { evidence?: string[] }) {
  const { name, evidence } = props;
  const plan = useQuery({
    queryKey: ['custody', name, 'plan', evidence ?? []],
    queryFn: ({ signal }) =>
      ask<DisposalPlan>('POST', address(['cases', name, 'disposals', 'plan']), {
        body: { evidence: evidence ?? [], reason: '' },
        signal,
      }),
    enabled: props.opened,
    staleTime: 0,
  });
  return (
    <Decide
      title={`Ask for the disposal of ${evidence ? 'an exhibit' : 'everything'} of case ${name}`}
      name={name}
      button="Ask for disposal"
      danger="I have read what would go. A second person has to agree before anything does."
      opened={props.opened}
      close={props.close}
      ready={Boolean(plan.data && plan.data.total > 0)}
      act={(reason) =>
        ask('POST', address(['cases', name, 'disposals']), {
          body: { evidence: evidence ?? [], reason },
        })
      }
    >
      {plan.isError && <Failed error={plan.error} />}
      {plan.isPending && <Bones rows={4} />}
      {plan.data && <Plan plan={plan.data} name={name} />}
    </Decide>
  );
}

export function AgreeDialog(props: { name: string; disposal: Disposal | null; close: () => void }) {
  const { name, disposal } = props;
  const plan = useQuery({
    queryKey: ['custody', name, 'disposal', disposal?.number ?? 0],
    queryFn: ({ signal }) =>
      ask<DisposalPlan>(
        'GET',
        address(['cases', name, 'disposals', disposal?.number ?? 0, 'plan']),
        { signal },
      ),
    enabled: disposal !== null,
    staleTime: 0,
  });
  return (
    <Decide
      title={`Agree to disposal ${disposal?.number ?? ''} of case ${name}`}
      name={name}
      button="Dispose of it"
      danger="I agree. Bytes and rows are gone then, and nobody can bring them back."
      opened={disposal !== null}
      close={props.close}
      reason="wanted"
      ready={Boolean(plan.data)}
      act={(reason) =>
        ask('POST', address(['cases', name, 'disposals', disposal?.number ?? 0, 'agree']), {
          body: { reason },
        })
      }
    >
      {plan.isError && <Failed error={plan.error} />}
      {plan.isPending && <Bones rows={4} />}
      {plan.data && <Plan plan={plan.data} name={name} />}
    </Decide>
  );
}
