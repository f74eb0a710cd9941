// SPDX-License-Identifier: Apache-2.0
import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask, Failure } from '../api/client';
import type { Token } from '../api/contract';
import { client, tokens as tokensQuery } from '../api/queries';
import { short } from '../text/time';
import { usePreferences } from '../theme/preferences';
import { Section } from './Settings';
import styles from './settings.module.css';

export function Tokens() {
  const [name, setName] = useState('');
  const { zone } = usePreferences();
  const found = useQuery(tokensQuery());
  const refresh = () => void client.invalidateQueries({ queryKey: ['tokens'] });
  const make = useMutation({
    mutationFn: () => ask<Token>('POST', address(['tokens']), { body: { name } }),
    onSuccess: () => {
      setName('');
      refresh();
    },
  });
  const remove = useMutation({
    mutationFn: (id: Token['id']) => ask('DELETE', address(['tokens', id])),
    onSuccess: refresh,
  });
  const error = make.error ?? remove.error;
  return (
    <Section title="API tokens">
      <p className="muted" style={{ margin: 0 }}>
        A script that sends <code className="mono">Authorization: Bearer …</code> acts as you.
      </p>
      {make.data?.token && (
        <div className={styles.secret} role="status">
          <span>Copy it now; it is shown only this once.</span>
          <code>{make.data.token}</code>
        </div>
      )}
      <div className={styles.list}>
        {(found.data ?? []).map((token) => (
          <div key={token.id} className={styles.item}>
            <span>
              <strong>{token.name}</strong>
              <span className="muted">
                {' '}
                made {short(token.created, zone)}, ends {short(token.expires, zone)} {zone}
              </span>
            </span>
            <Button size="compact-sm" variant="default" onClick={() => remove.mutate(token.id)}>
              Revoke
            </Button>
          </div>
        ))}
      </div>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) make.mutate();
        }}
      >
        <TextInput
          label="What it is for"
          placeholder="nightly import"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button
          type="submit"
          size="sm"
          variant="default"
          disabled={!name.trim()}
          loading={make.isPending}
        >
          Make a token
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
