// SPDX-License-Identifier: Apache-2.0
import { Button, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Dialog } from '../shell/Dialog';

/** Says what will happen before it does, and asks for the reason where the ledger takes one. */
export function Confirm(props: {
  title: string;
  word: string;
  reason?: boolean;
  children: ReactNode;
  close: () => void;
  run: (reason: string) => void;
}) {
  const [reason, setReason] = useState('');
  return (
    <Dialog opened onClose={props.close} title={props.title} size={440}>
      <form
        style={{ display: 'grid', gap: 14 }}
        onSubmit={(event) => {
          event.preventDefault();
          props.close();
          props.run(reason);
        }}
      >
        <p style={{ margin: 0 }}>{props.children}</p>
        {props.reason && (
          <TextInput
            data-autofocus
            label="Why, for the ledger"
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button
            variant="default"
            data-autofocus={props.reason ? undefined : true}
            onClick={props.close}
          >
            Leave it
          </Button>
          <Button type="submit" color="red">
            {props.word}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
