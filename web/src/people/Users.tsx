// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Menu, PasswordInput, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask } from '../api/client';
import type { User } from '../api/contract';
import { roles as rolesQuery } from '../api/queries';
import frame from '../case/case.module.css';
import settings from '../settings/settings.module.css';
import { Wrong } from '../shell/Form';
import { Value } from '../text/Value';
import { Adding, Listed } from './Adding';
import { Confirm } from './Confirm';
import { changed } from './Given';
import styles from './people.module.css';

/** The people who may sign in, and the form for one more. */
export function Users(props: { users: User[]; cases: string[] }) {
  const [link, setLink] = useState<{ who: string; where: string } | null>(null);
  const [ending, setEnding] = useState('');
  const change = useMutation({
    mutationFn: (one: { who: string; body: Partial<User> }) =>
      ask('PUT', address(['users', one.who]), { body: one.body }),
    onSuccess: changed,
  });
  const invite = useMutation({
    mutationFn: (who: string) => ask<{ token: string }>('POST', address(['users', who, 'link'])),
    onSuccess: (answer, who) =>
      setLink({ who, where: `${window.location.origin}/sign-in#${answer.token}` }),
  });
  const bare = useMutation({
    mutationFn: (who: string) => ask('DELETE', address(['users', who, 'second-factor'])),
    onSuccess: changed,
  });
  return (
    <section className={frame.panel}>
      <h2>Users</h2>
      {link && (
        <div className={styles.link} style={{ paddingTop: 12 }}>
          <div className={settings.secret} role="status">
            <span>A one-time sign-in link for {link.who}, good for a quarter of an hour:</span>
            <code>{link.where}</code>
          </div>
        </div>
      )}
      <Listed titles={['User', 'Roles', 'Groups', 'Signs in with']}>
        {props.users.map((user) => (
          <tr key={user.username} data-disabled={user.disabled || undefined}>
            <td>
              <strong>{user.username}</strong>
              {user.name && user.name !== user.username && (
                <div className="muted">
                  <Value text={user.name} limit={80} />
                </div>
              )}
            </td>
            <td>
              <Held user={user} />
            </td>
            <td>{user.groups.join(', ')}</td>
            <td className="muted">{standing(user)}</td>
            <td className={styles.end}>
              <Button
                size="compact-sm"
                variant="default"
                disabled={user.disabled}
                onClick={() => invite.mutate(user.username)}
              >
                Sign-in link
              </Button>
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button
                    size="compact-sm"
                    variant="default"
                    aria-label={`More for ${user.username}`}
                  >
                    More
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item
                    onClick={() =>
                      user.disabled
                        ? change.mutate({ who: user.username, body: { disabled: false } })
                        : setEnding(user.username)
                    }
                  >
                    {user.disabled ? 'Enable' : 'Disable and sign out everywhere'}
                  </Menu.Item>
                  <Menu.Item
                    onClick={() =>
                      change.mutate({
                        who: user.username,
                        body: { single_sign_on: !user.single_sign_on },
                      })
                    }
                  >
                    {user.single_sign_on ? 'No single sign-on' : 'Allow single sign-on'}
                  </Menu.Item>
                  {user.second_factor && (
                    <Menu.Item onClick={() => bare.mutate(user.username)}>
                      Turn the second factor off
                    </Menu.Item>
                  )}
                </Menu.Dropdown>
              </Menu>
            </td>
          </tr>
        ))}
      </Listed>
      <Wrong error={change.error ?? invite.error ?? bare.error} />
      {ending && (
        <Confirm
          title={`Disable ${ending}`}
          word="Disable"
          close={() => setEnding('')}
          run={() => change.mutate({ who: ending, body: { disabled: true } })}
        >
          All sessions and API tokens of {ending} stop working at once, and nobody can sign in under
          this name until you enable it again. Roles stay as they are.
        </Confirm>
      )}
      <NewUser cases={props.cases} />
    </section>
  );
}

function Held(props: { user: User }) {
  const table = useQuery(rolesQuery()).data;
  if (props.user.roles.length === 0) return <span className="faint">nothing yet</span>;
  return (
    <div className={styles.chips}>
      {props.user.roles.map((held) => (
        <span
          key={`${held.role} ${held.case} ${held.group}`}
          className={styles.chip}
          title={held.group && `through the group ${held.group}`}
        >
          {table?.roles.find((one) => one.role === held.role)?.title ?? held.role}
          <span className="muted">{held.case || 'all cases'}</span>
        </span>
      ))}
    </div>
  );
}

function standing(user: User): string {
  if (user.disabled) return 'disabled';
  const words = [
    user.has_password && 'password',
    user.second_factor && 'code',
    user.single_sign_on && 'single sign-on',
  ].filter(Boolean);
  return words.join(', ') || 'link only';
}

function NewUser(props: { cases: string[] }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<string | null>(null);
  const [only, setOnly] = useState<string | null>(null);
  const [elsewhere, setElsewhere] = useState(false);
  const table = useQuery(rolesQuery()).data;
  const make = useMutation({
    mutationFn: () =>
      ask<User>('POST', address(['users']), {
        body: { username, password, role, case: only ?? '', single_sign_on: elsewhere },
      }),
    onSuccess: () => {
      setUsername('');
      setPassword('');
      changed();
    },
  });
  return (
    <Adding ready={username.trim() !== ''} make={make}>
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
      <Select
        label="First role"
        placeholder="None yet"
        clearable
        data={(table?.roles ?? []).map((one) => ({ value: one.role, label: one.title }))}
        value={role}
        onChange={setRole}
      />
      <Select
        label="Case"
        placeholder="All cases"
        clearable
        searchable
        disabled={!role}
        data={props.cases}
        value={only}
        onChange={setOnly}
      />
      <Checkbox
        size="xs"
        mb={8}
        label="Single sign-on"
        checked={elsewhere}
        onChange={(event) => setElsewhere(event.currentTarget.checked)}
      />
    </Adding>
  );
}
