// SPDX-License-Identifier: Apache-2.0
import { PasswordInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask } from '../api/client';
import { Form } from '../shell/Form';
import { Section } from './Settings';

export function Password() {
  const [current, setCurrent] = useState('');
  const [fresh, setFresh] = useState('');
  const change = useMutation({
    mutationFn: () =>
      ask('PUT', address(['users', 'me', 'password']), { body: { current, new: fresh } }),
    onSuccess: () => {
      setCurrent('');
      setFresh('');
      notifications.show({ message: 'The password is changed.' });
    },
  });
  return (
    <Section title="Password">
      <Form ready={fresh !== ''} send={change} button="Change">
        <PasswordInput
          label="Now (empty when there is none)"
          autoComplete="current-password"
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
        />
        <PasswordInput
          label="New"
          autoComplete="new-password"
          value={fresh}
          onChange={(event) => setFresh(event.currentTarget.value)}
        />
      </Form>
    </Section>
  );
}
