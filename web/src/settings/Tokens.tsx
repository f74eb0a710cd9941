// SPDX-License-Identifier: Apache-2.0
import { Button, NumberInput, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask } from '../api/client';
import type { Scope, Token } from '../api/contract';
import { cases as casesQuery, client, tokens as tokensQuery } from '../api/queries';
import { Form, Wrong } from '../shell/Form';
import { short } from '../text/time';
import { usePreferences } from '../theme/preferences';
import { Section } from './Settings';
import styles from './settings.module.css';

const SCOPES = [
  { value: 'read', label: 'Read: see, download, export' },
  { value: 'write', label: 'Write: mark and add evidence too' },
  { value: 'manage', label: 'Manage: all that you may' },
];

export function Tokens() {
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>('read');
  const [only, setOnly] = useState<string | null>(null);
  const [days, setDays] = useState<number | string>(90);
  const { zone } = usePreferences();
  const found = useQuery(tokensQuery());
  const cases = useQuery(casesQuery());
  const refresh = () => void client.invalidateQueries({ queryKey: ['tokens'] });
  const make = useMutation({
    mutationFn: () =>
      ask<Token>('POST', address(['tokens']), {
        body: { name, scope, case: only ?? '', days: Number(days) },
      }),
    onSuccess: () => {
      setName('');
      refresh();
    },
  });
  const remove = useMutation({
    mutationFn: (id: Token['id']) => ask('DELETE', address(['tokens', id])),
    onSuccess: refresh,
  });
  return (
    <Section title="API tokens">
      <p className="muted" style={{ margin: 0 }}>
        A script that sends <code className="mono">Authorization: Bearer …</code> acts as you, as
        far as scope and case of the token go.
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
                {token.scope}, {token.case || 'all cases'}, ends {short(token.expires, zone)} {zone}
                {token.used ? `, last used ${short(token.used, zone)}` : ', never used'}
              </span>
            </span>
            <Button size="compact-sm" variant="default" onClick={() => remove.mutate(token.id)}>
              Revoke
            </Button>
          </div>
        ))}
      </div>
      <Wrong error={remove.error} />
      <Form ready={name.trim() !== '' && Boolean(days)} send={make} button="Make a token">
        <TextInput
          label="What it is for"
          placeholder="nightly import"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label="Scope"
          data={SCOPES}
          allowDeselect={false}
          value={scope}
          onChange={(value) => value && setScope(value as Scope)}
        />
        <Select
          label="Case"
          placeholder="All that you see"
          clearable
          searchable
          data={(cases.data ?? []).map((one) => one.name)}
          value={only}
          onChange={setOnly}
        />
        <NumberInput
          label="Days"
          min={1}
          max={366}
          value={days}
          onChange={setDays}
          styles={{ root: { flex: '0 0 90px', minWidth: 90 } }}
        />
      </Form>
    </Section>
  );
}
