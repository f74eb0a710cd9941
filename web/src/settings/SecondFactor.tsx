// SPDX-License-Identifier: Apache-2.0
import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask } from '../api/client';
import { client, session } from '../api/queries';
import { Form, Wrong } from '../shell/Form';
import { Section } from './Settings';
import styles from './settings.module.css';

interface Proposed {
  secret: string;
  address: string;
  svg: string;
}

const WHERE = ['users', 'me', 'second-factor'];

export function SecondFactor() {
  const me = useQuery(session()).data;
  const [code, setCode] = useState('');
  const changed = () => {
    setCode('');
    void client.invalidateQueries({ queryKey: ['session'] });
  };
  const propose = useMutation({ mutationFn: () => ask<Proposed>('POST', address(WHERE)) });
  const confirm = useMutation({
    mutationFn: () => ask<{ codes: string[] }>('PUT', address(WHERE), { body: { code } }),
    onSuccess: () => {
      propose.reset();
      changed();
    },
  });
  const off = useMutation({
    mutationFn: () => ask('POST', address([...WHERE, 'off']), { body: { code } }),
    onSuccess: () => {
      confirm.reset();
      changed();
    },
  });
  const field = (
    <TextInput
      label="Code that the app shows now"
      inputMode="numeric"
      autoComplete="one-time-code"
      maxLength={40}
      value={code}
      onChange={(event) => setCode(event.currentTarget.value)}
    />
  );
  return (
    <Section title="Second factor">
      {confirm.data && (
        <div className={styles.secret} role="status">
          <span>
            It is on. Keep these recovery codes where your phone is not: each stands for one code,
            once. They are shown only now.
          </span>
          <code className={styles.codes}>{confirm.data.codes.join('\n')}</code>
        </div>
      )}
      {me?.second_factor ? (
        <>
          <p style={{ margin: 0 }}>
            You are asked for a code at sign-in. {me.recovery_codes} recovery codes are left.
          </p>
          <Form ready={code.trim() !== ''} send={off} button="Turn off">
            {field}
          </Form>
        </>
      ) : propose.data ? (
        <div className={styles.enrol}>
          <img
            className={styles.qr}
            alt="The secret as a QR code"
            src={`data:image/svg+xml;utf8,${encodeURIComponent(propose.data.svg)}`}
          />
          <div className={styles.steps}>
            <p style={{ margin: 0 }}>
              Scan it with an authenticator app, or type in <code>{propose.data.secret}</code>. Then
              type the code that the app shows.
            </p>
            <Form ready={code.trim() !== ''} send={confirm} button="Turn on" main>
              {field}
            </Form>
          </div>
        </div>
      ) : (
        <>
          <p className="muted" style={{ margin: 0 }}>
            A password alone can be watched or guessed. With a code of an authenticator app too,
            that is not enough.
          </p>
          <div>
            <Button variant="default" loading={propose.isPending} onClick={() => propose.mutate()}>
              Set up an authenticator app
            </Button>
          </div>
        </>
      )}
      <Wrong error={propose.error} />
    </Section>
  );
}
