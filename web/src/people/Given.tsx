// SPDX-License-Identifier: Apache-2.0
// Grants: the list of them, and the form that gives one more.
import { Button, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask } from '../api/client';
import type { Grant, Role } from '../api/contract';
import { client, roles as rolesQuery } from '../api/queries';
import { Form, Wrong } from '../shell/Form';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { Confirm } from './Confirm';
import styles from './people.module.css';

const NOBODY: Grant[] = [];

/** Grants with who gave them, when and why; those that `mine` says can be taken back. */
export function Grants(props: {
  grants: Grant[] | undefined;
  where: (grant: Grant) => string;
  mine?: (grant: Grant) => boolean;
}) {
  const { zone } = usePreferences();
  const table = useQuery(rolesQuery()).data;
  const [taking, setTaking] = useState<Grant | null>(null);
  const back = useMutation({
    mutationFn: (one: { grant: Grant; reason: string }) =>
      ask('DELETE', `${props.where(one.grant)}?${new URLSearchParams({ reason: one.reason })}`),
    onSuccess: changed,
  });
  const title = (role: Role) => table?.roles.find((one) => one.role === role)?.title ?? role;
  return (
    <>
      <table className={styles.table}>
        <thead>
          <tr>
            <th>Who</th>
            <th>Is</th>
            <th>Where</th>
            <th>Since ({zone})</th>
            <th>By</th>
            <th>Why</th>
            <th aria-label="Take back" />
          </tr>
        </thead>
        <tbody>
          {(props.grants ?? NOBODY).map((grant) => (
            <tr key={grant.id}>
              <td>
                <strong>{grant.user || grant.group}</strong>
                {grant.group && <span className="faint"> group</span>}
              </td>
              <td>{title(grant.role)}</td>
              <td>{grant.case || <span className="muted">all cases</span>}</td>
              <td className="mono number muted">{short(grant.granted, zone)}</td>
              <td>
                <Value text={grant.by} limit={60} />
              </td>
              <td className="muted">
                <Value text={grant.reason} limit={160} />
              </td>
              <td className={styles.end}>
                {(props.mine?.(grant) ?? true) && (
                  <Button
                    size="compact-sm"
                    variant="default"
                    aria-label={`Take ${title(grant.role)} back from ${grant.user || grant.group}`}
                    loading={back.isPending && back.variables?.grant.id === grant.id}
                    onClick={() => setTaking(grant)}
                  >
                    Take back
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Wrong error={back.error} />
      {taking && (
        <Confirm
          title={`${title(taking.role)}: take it back`}
          word="Take back"
          reason
          close={() => setTaking(null)}
          run={(reason) => back.mutate({ grant: taking, reason })}
        >
          {taking.group ? `Everybody in the group ${taking.group}` : taking.user} will no longer be{' '}
          {title(taking.role).toLowerCase()} in {taking.case || 'all cases'}, unless another grant
          says so. It can be granted again.
        </Confirm>
      )}
    </>
  );
}

/** The form that grants a role; what is chosen before it is sent is said in words. */
export function GrantForm(props: {
  users: string[];
  groups: string[];
  where: string;
  cases?: string[];
}) {
  const [kind, setKind] = useState('user');
  const [whom, setWhom] = useState<string | null>(null);
  const [role, setRole] = useState<Role>('viewer');
  const [only, setOnly] = useState<string | null>(null);
  const [reason, setReason] = useState('');
  const table = useQuery(rolesQuery()).data;
  const give = useMutation({
    mutationFn: () =>
      ask<Grant>('POST', props.where, {
        body: { role, [kind]: whom, reason, ...(props.cases ? { case: only ?? '' } : {}) },
      }),
    onSuccess: () => {
      setWhom(null);
      setReason('');
      changed();
    },
  });
  const may = table?.permissions.filter((one) => one.roles.includes(role)) ?? [];
  return (
    <div className={styles.give}>
      <Form
        ready={whom !== null}
        send={give}
        button="Grant"
        main
        note={
          <p className="muted" style={{ margin: 0 }}>
            May {may.map((one) => one.allows).join('; ')}.
          </p>
        }
      >
        <SegmentedControl
          size="xs"
          aria-label="To a user or a group"
          value={kind}
          onChange={(value) => {
            setKind(value);
            setWhom(null);
          }}
          data={[
            { value: 'user', label: 'User' },
            { value: 'group', label: 'Group' },
          ]}
          style={{ flex: '0 0 auto', minWidth: 130 }}
        />
        <Select
          label={kind === 'user' ? 'Who' : 'Which group'}
          placeholder="Choose"
          searchable
          data={kind === 'user' ? props.users : props.groups}
          value={whom}
          onChange={setWhom}
        />
        <Select
          label="Role"
          allowDeselect={false}
          data={(table?.roles ?? []).map((one) => ({ value: one.role, label: one.title }))}
          value={role}
          onChange={(value) => value && setRole(value as Role)}
        />
        {props.cases && (
          <Select
            label="Case"
            placeholder="All cases"
            clearable
            searchable
            data={props.cases}
            value={only}
            onChange={setOnly}
          />
        )}
        <TextInput
          label="Why, for the ledger"
          placeholder="leads the inquiry"
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      </Form>
    </div>
  );
}

/** What may be different once a grant, a group or a user changed. */
export function changed(): void {
  for (const key of ['grants', 'groups', 'users', 'people-custody', 'session', 'case', 'cases']) {
    void client.invalidateQueries({ queryKey: [key] });
  }
}

export function caseGrant(name: string) {
  return (grant: Grant) => address(['cases', name, 'grants', grant.id]);
}
