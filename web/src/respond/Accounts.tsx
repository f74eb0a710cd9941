// SPDX-License-Identifier: Apache-2.0
import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Cloud } from 'lucide-react';
import { useState } from 'react';
import { Gate } from '../access/Gate';
import { address, ask } from '../api/client';
import type { CloudAccount } from '../api/contract';
import { client } from '../api/queries';
import frame from '../case/case.module.css';
import { Adding } from '../people/Adding';
import { Confirm } from '../people/Confirm';
import { Wrong } from '../shell/Form';
import { Value } from '../text/Value';
import { listed } from './regions';
import styles from './respond.module.css';

const changed = () => client.invalidateQueries({ queryKey: ['accounts'] });

/** The accounts that Locard was let into. */
export function Accounts(props: { accounts: CloudAccount[] }) {
  const [leaving, setLeaving] = useState('');
  const forget = useMutation({
    mutationFn: (name: string) => ask('DELETE', address(['accounts', name])),
    onSuccess: changed,
  });
  const release = useMutation({
    mutationFn: (one: { name: string; target: string; protected: boolean }) =>
      ask('PUT', address(['accounts', one.name, 'protection']), { body: one }),
    onSuccess: changed,
  });
  return (
    <section className={frame.panel}>
      <h2>
        <Cloud size={15} /> Accounts
      </h2>
      {props.accounts.length === 0 ? (
        <p className="muted" style={{ margin: 0, padding: 16 }}>
          None yet. Make a role in the account with the policy below, let Locard take it, and add it
          here. Nothing secret is kept: Locard takes the role anew for each run, narrowed to its
          target.
        </p>
      ) : (
        <div className={styles.table}>
          <table>
            <thead>
              <tr>
                <th>Account</th>
                <th>Role</th>
                <th>External id</th>
                <th>Regions</th>
                <th>Never isolated</th>
                <th aria-label="Actions" />
              </tr>
            </thead>
            <tbody>
              {props.accounts.map((one) => (
                <tr key={one.name}>
                  <td>
                    <strong>{one.name}</strong>{' '}
                    {one.simulated && <span className={frame.simulated}>Simulated</span>}
                    <small className="faint">
                      {one.provider} {one.number}
                    </small>
                  </td>
                  <td className="mono">
                    <Value text={one.role || 'credentials of this machine'} limit={200} />
                  </td>
                  <td className="mono faint">
                    <Value text={one.external_id || '—'} limit={80} />
                  </td>
                  <td>{one.regions.join(', ')}</td>
                  <td>
                    <Protected
                      one={one}
                      put={(target, on) =>
                        release.mutate({ name: one.name, target, protected: on })
                      }
                    />
                  </td>
                  <td>
                    <Gate permission="settings">
                      <Button
                        size="compact-sm"
                        variant="default"
                        aria-label={`Forget the account ${one.name}`}
                        onClick={() => setLeaving(one.name)}
                      >
                        Forget
                      </Button>
                    </Gate>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Wrong error={forget.error ?? release.error} />
      {leaving && (
        <Confirm
          title={`Forget the account ${leaving}`}
          word="Forget"
          close={() => setLeaving('')}
          run={() => forget.mutate(leaving)}
        >
          What was done there stays recorded, and what is isolated there stays isolated: release it
          first. The role in the account is not touched.
        </Confirm>
      )}
      <Add />
    </section>
  );
}

function Protected(props: { one: CloudAccount; put: (target: string, on: boolean) => void }) {
  const [typed, setTyped] = useState('');
  return (
    <div style={{ display: 'grid', gap: 4 }}>
      {props.one.protected.map((target) => (
        <span key={target} className="mono">
          <Value text={target} limit={80} />{' '}
          <Gate permission="settings">
            <Button
              size="compact-xs"
              variant="subtle"
              aria-label={`Allow to isolate ${target} again`}
              onClick={() => props.put(target, false)}
            >
              allow again
            </Button>
          </Gate>
        </span>
      ))}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!typed.trim()) return;
          props.put(typed.trim(), true);
          setTyped('');
        }}
      >
        <TextInput
          size="xs"
          w={190}
          aria-label={`Protect a target of ${props.one.name}`}
          placeholder="id of a target, Enter"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </form>
    </div>
  );
}

function Add() {
  const [name, setName] = useState('');
  const [role, setRole] = useState('');
  const [regions, setRegions] = useState('');
  const add = useMutation({
    mutationFn: () =>
      ask<CloudAccount>('POST', address(['accounts']), {
        body: {
          name: name.trim(),
          role: role.trim(),
          regions: listed(regions),
        },
      }),
    onSuccess: () => {
      setName('');
      setRole('');
      return changed();
    },
  });
  return (
    <Adding
      label="Add an account"
      button="Add the account"
      permission="settings"
      ready={Boolean(name.trim() && regions.trim())}
      make={add}
    >
      <TextInput
        label="Name"
        placeholder="prod"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label="Role"
        placeholder="arn:aws:iam::123456789012:role/Locard"
        value={role}
        onChange={(event) => setRole(event.currentTarget.value)}
      />
      <TextInput
        label="Regions, the usual one first"
        placeholder="eu-central-1 us-east-1"
        value={regions}
        onChange={(event) => setRegions(event.currentTarget.value)}
      />
    </Adding>
  );
}
