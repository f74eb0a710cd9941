// SPDX-License-Identifier: Apache-2.0
import { Button, PasswordInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask } from '../api/client';
import { Wrong } from '../people/Given';
import { Section } from './Settings';
import styles from './settings.module.css';

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
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
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
        <Button
          type="submit"
          size="sm"
          variant="default"
          disabled={!fresh}
          loading={change.isPending}
        >
          Change
        </Button>
      </form>
      <Wrong error={change.error} />
    </Section>
  );
}
