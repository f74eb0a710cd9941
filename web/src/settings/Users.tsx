// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask, Failure } from '../api/client';
import type { User } from '../api/contract';
import { client, users as usersQuery } from '../api/queries';
import { Section } from './Settings';
import styles from './settings.module.css';

export function Users() {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [admin, setAdmin] = useState(false);
  const [link, setLink] = useState<{ who: string; where: string } | null>(null);
  const found = useQuery(usersQuery());
  const refresh = () => void client.invalidateQueries({ queryKey: ['users'] });
  const make = useMutation({
    mutationFn: () =>
      ask<User>('POST', address(['users']), {
        body: { username, password, role: admin ? 'administrator' : 'analyst' },
      }),
    onSuccess: () => {
      setUsername('');
      setPassword('');
      refresh();
    },
  });
  const change = useMutation({
    mutationFn: (one: { who: string; disabled: boolean }) =>
      ask('PUT', address(['users', one.who]), { body: { disabled: one.disabled } }),
    onSuccess: refresh,
  });
  const invite = useMutation({
    mutationFn: (who: string) => ask<{ token: string }>('POST', address(['users', who, 'link'])),
    onSuccess: (answer, who) =>
      setLink({ who, where: `${window.location.origin}/sign-in#${answer.token}` }),
  });
  const error = make.error ?? change.error ?? invite.error;
  return (
    <Section title="Users">
      {link && (
        <div className={styles.secret} role="status">
          <span>A one-time sign-in link for {link.who}:</span>
          <code>{link.where}</code>
        </div>
      )}
      <div className={styles.list}>
        {(found.data ?? []).map((user) => (
          <div key={user.username} className={styles.item}>
            <span>
              <strong>{user.username}</strong>{' '}
              <span className="muted">
                {user.name !== user.username && user.name} {user.roles.map((held) => held.role).join(', ')}
                {user.disabled && ' · disabled'}
              </span>
            </span>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => invite.mutate(user.username)}
            >
              Sign-in link
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => change.mutate({ who: user.username, disabled: !user.disabled })}
            >
              {user.disabled ? 'Enable' : 'Disable'}
            </Button>
          </div>
        ))}
      </div>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (username.trim()) make.mutate();
        }}
      >
        <TextInput
          label="Name"
          autoComplete="off"
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password (or send a link)"
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Checkbox
          size="xs"
          mb={8}
          label="Administrator"
          checked={admin}
          onChange={(event) => setAdmin(event.currentTarget.checked)}
        />
        <Button
          type="submit"
          size="sm"
          variant="default"
          disabled={!username.trim()}
          loading={make.isPending}
        >
          Add
        </Button>
      </form>
      {error instanceof Failure && (
        <p className={styles.bad} role="alert">
          {error.problem.detail} {error.problem.advice}
        </p>
      )}
    </Section>
  );
}
