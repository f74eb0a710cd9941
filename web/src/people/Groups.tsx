// SPDX-License-Identifier: Apache-2.0
import { Button, Select, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useState } from 'react';
import { address, ask } from '../api/client';
import type { Group } from '../api/contract';
import frame from '../case/case.module.css';
import { Wrong } from '../shell/Form';
import { Value } from '../text/Value';
import { Adding, Listed } from './Adding';
import { Confirm } from './Confirm';
import { changed } from './Given';
import styles from './people.module.css';

/** Groups with their members; the provider's name for a group makes its people members. */
export function Groups(props: { groups: Group[]; users: string[] }) {
  const [name, setName] = useState('');
  const [claim, setClaim] = useState('');
  const [removing, setRemoving] = useState('');
  const make = useMutation({
    mutationFn: () => ask('POST', address(['groups']), { body: { name, claim } }),
    onSuccess: () => {
      setName('');
      setClaim('');
      changed();
    },
  });
  const act = useMutation({
    mutationFn: (one: { method: string; where: string; body?: unknown }) =>
      ask(one.method, one.where, { body: one.body }),
    onSuccess: changed,
  });
  const of = (group: string, ...more: string[]) => address(['groups', group, ...more]);
  return (
    <section className={frame.panel}>
      <h2>Groups</h2>
      {props.groups.length === 0 ? (
        <p className="muted" style={{ margin: 0, padding: 16 }}>
          A role that is granted to a group is that of everybody in it. There is none yet.
        </p>
      ) : (
        <Listed titles={['Group', 'At the provider', 'Members']}>
          {props.groups.map((group) => (
            <tr key={group.name}>
              <td>
                <strong>{group.name}</strong>
                {group.title && (
                  <div className="muted">
                    <Value text={group.title} limit={80} />
                  </div>
                )}
              </td>
              <td className="mono muted">
                <Value text={group.claim || '—'} limit={80} />
              </td>
              <td>
                <div className={styles.chips}>
                  {group.members.map((member) => (
                    <span key={member} className={styles.chip}>
                      {member}
                      <button
                        type="button"
                        aria-label={`Take ${member} out of ${group.name}`}
                        onClick={() =>
                          act.mutate({
                            method: 'DELETE',
                            where: of(group.name, 'members', member),
                          })
                        }
                      >
                        <X size={12} />
                      </button>
                    </span>
                  ))}
                  <Select
                    size="xs"
                    w={150}
                    searchable
                    aria-label={`Put somebody into ${group.name}`}
                    placeholder="Put in"
                    data={props.users.filter((one) => !group.members.includes(one))}
                    value={null}
                    onChange={(username) =>
                      username &&
                      act.mutate({
                        method: 'POST',
                        where: of(group.name, 'members'),
                        body: { username },
                      })
                    }
                  />
                </div>
              </td>
              <td className={styles.end}>
                <Button
                  size="compact-sm"
                  variant="default"
                  aria-label={`Remove the group ${group.name}`}
                  onClick={() => setRemoving(group.name)}
                >
                  Remove
                </Button>
              </td>
            </tr>
          ))}
        </Listed>
      )}
      <Wrong error={act.error} />
      {removing && (
        <Confirm
          title={`Remove the group ${removing}`}
          word="Remove"
          close={() => setRemoving('')}
          run={() => act.mutate({ method: 'DELETE', where: of(removing) })}
        >
          Every role that was granted to it is taken back. The people stay, with what is granted to
          them otherwise. This cannot be undone: the group would have to be made anew.
        </Confirm>
      )}
      <Adding ready={name.trim() !== ''} make={make}>
        <TextInput
          label="Name of a new group"
          placeholder="counsel"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="What the single sign-on provider calls it"
          placeholder="empty: you say who is in it"
          value={claim}
          onChange={(event) => setClaim(event.currentTarget.value)}
        />
      </Adding>
    </section>
  );
}
