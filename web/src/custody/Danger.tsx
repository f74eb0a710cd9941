// SPDX-License-Identifier: Apache-2.0
// Dialogs of what people decide about a case. What takes something away for good looks different:
// it shows its plan, names its target in full, and asks for the reason that goes into the ledger.
import { Alert, Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Failure } from '../api/client';
import type { DisposalPlan } from '../api/contract';
import { client } from '../api/queries';
import { Dialog } from '../shell/Dialog';
import { bytes, count, counted } from '../text/number';
import { Value } from '../text/Value';
import custody from './custody.module.css';
import styles from './danger.module.css';

/** Asks for a reason, and for what else the deed takes; shows what the server says against it. */
export function Decide(props: {
  title: string;
  name: string;
  button: string;
  /** Whether something is taken away: the dialog looks it, and waits for a yes. */
  danger?: string;
  /** What the yes is given to: when it becomes another, the yes has to be given again. */
  about?: string;
  opened: boolean;
  close: () => void;
  reason?: 'needed' | 'wanted' | 'none';
  act: (reason: string) => Promise<unknown>;
  /** Whether what else is asked for is there. */
  ready?: boolean;
  children?: ReactNode;
}) {
  const { name, danger } = props;
  const [reason, setReason] = useState('');
  const about = props.about ?? '';
  const [sureOf, setSure] = useState<string | null>(null);
  const sure = sureOf === about;
  const asks = props.reason ?? 'needed';
  const deed = useMutation({
    mutationFn: () => props.act(reason.trim()),
    onSuccess: () => {
      for (const key of ['custody', 'custody-overview']) {
        void client.invalidateQueries({
          queryKey: key === 'custody' ? [key, name] : [key],
        });
      }
      leave();
    },
  });
  const leave = () => {
    setReason('');
    setSure(null);
    deed.reset();
    props.close();
  };
  const problem = deed.error instanceof Failure ? deed.error.problem : null;
  const ready = (props.ready ?? true) && (asks !== 'needed' || reason.trim()) && (!danger || sure);
  return (
    <Dialog
      opened={props.opened}
      onClose={leave}
      title={props.title}
      size={danger ? 'lg' : 'md'}
      classNames={danger ? { content: styles.danger } : undefined}
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) deed.mutate();
        }}
      >
        {props.children}
        {asks !== 'none' && (
          <TextInput
            label="Reason"
            description="Stands in the ledger, signed, for whoever asks later."
            required={asks === 'needed'}
            maxLength={2000}
            data-autofocus={props.children ? undefined : true}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        {danger && (
          <Checkbox
            color="red"
            label={danger}
            checked={sure}
            onChange={(event) => setSure(event.currentTarget.checked ? about : null)}
          />
        )}
        {deed.isError && (
          <Alert color="red" title={problem?.detail || deed.error.message}>
            {problem?.advice}
          </Alert>
        )}
        <div className={custody.buttons}>
          <Button variant="default" onClick={leave}>
            Cancel
          </Button>
          <Button
            type="submit"
            color={danger ? 'red' : undefined}
            disabled={!ready}
            loading={deed.isPending}
          >
            {props.button}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What a disposal would take, and what of it would stay. */
export function Plan(props: { plan: DisposalPlan; name: string }) {
  const { plan } = props;
  return (
    <section className={styles.plan} aria-label="What would go">
      <p className={styles.planLead}>
        <TriangleAlert size={16} aria-hidden />
        <span>
          <strong>{counted(plan.total, 'exhibit')}</strong> of case <strong>{props.name}</strong>:{' '}
          {bytes(plan.bytes)}, and {counted(plan.rows, 'row')} of the timeline. Bytes and rows
          cannot be brought back. The ledger keeps what they were and what happened to them.
        </span>
      </p>
      <ul className={styles.planList}>
        {plan.exhibits.map((one) => (
          <li key={one.evidence}>
            <span className="clip">
              <Value text={one.name} limit={300} />
            </span>
            <span className="mono faint">{one.evidence.slice(0, 12)}</span>
            <span className="muted number">{bytes(one.size)}</span>
          </li>
        ))}
        {plan.total > plan.exhibits.length && (
          <li className="muted">and {count(plan.total - plan.exhibits.length)} more</li>
        )}
      </ul>
      {plan.shared > 0 && (
        <p>The bytes of {count(plan.shared)} stay: another case holds them too.</p>
      )}
      {plan.again > 0 && (
        <p>
          {counted(plan.again, 'further piece')} of evidence {plan.again === 1 ? 'holds' : 'hold'}{' '}
          some of the same records and would be read again.
        </p>
      )}
      {plan.takers.length > 0 && (
        <p>
          Who took it in can neither ask nor agree: <Value text={plan.takers.join(', ')} />.
        </p>
      )}
    </section>
  );
}
