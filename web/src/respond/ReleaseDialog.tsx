// SPDX-License-Identifier: Apache-2.0
import { Checkbox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { address, ask } from '../api/client';
import type { RunWhole, Undoing } from '../api/contract';
import { client } from '../api/queries';
import { undoing } from '../api/respond';
import { Decide } from '../custody/Danger';
import { Bones, Failed } from '../shell/States';
import { counted } from '../text/number';
import { Value } from '../text/Value';
import sheet from './respond.module.css';
import styles from './run.module.css';
import { shown } from './telling';

/** The plan of a release: what is put back, newest first, and what it was. */
export function ReleaseDialog(props: { one: RunWhole; name: string; close: () => void }) {
  const { one, name } = props;
  const plan = useQuery(undoing(name, one.run));
  const [leave, setLeave] = useState<string[]>([]);
  return (
    <Decide
      title={`Release ${one.target.id}`}
      name={name}
      button={`Release ${one.target.id}`}
      danger="I want it back as it was. Whoever was shut out can come in again."
      opened
      close={props.close}
      ready={Boolean(plan.data && plan.data.length > 0)}
      act={async (reason) => {
        await ask('POST', address(['cases', name, 'runs', one.run, 'release']), {
          body: { reason, leave },
        });
        await client.invalidateQueries({ queryKey: ['runs', name] });
      }}
    >
      {plan.isError && <Failed error={plan.error} />}
      {plan.isPending && <Bones rows={5} />}
      {plan.data && (
        <>
          <p>
            <strong>{counted(plan.data.length, 'change')}</strong> of {one.target.kind}{' '}
            <strong>
              <Value text={one.target.id} />
            </strong>{' '}
            in account {one.account} {plan.data.length === 1 ? 'is' : 'are'} put back, the newest
            first, from what was captured before. Only what is ours is taken away: what others have
            changed since is not overwritten. Afterwards the state is compared with the state
            before.
          </p>
          <ol className={styles.undoing}>
            {plan.data.map((each) => (
              <Undo
                key={each.key}
                one={each}
                left={leave.includes(each.key)}
                leave={(on) =>
                  setLeave(on ? [...leave, each.key] : leave.filter((key) => key !== each.key))
                }
              />
            ))}
          </ol>
        </>
      )}
    </Decide>
  );
}

function Undo(props: { one: Undoing; left: boolean; leave: (on: boolean) => void }) {
  const { one } = props;
  return (
    <li>
      <span>
        <Value text={one.undo_title || one.title} limit={300} />
      </span>
      <span className="faint">
        To what it was: <Value text={shown(one.prior)} limit={400} />
      </span>
      {one.error && (
        <>
          <span className={sheet.wrong}>
            <Value text={one.error} limit={600} />
          </span>
          <Checkbox
            size="xs"
            label="Leave it as others have made it"
            checked={props.left}
            onChange={(event) => props.leave(event.currentTarget.checked)}
          />
        </>
      )}
    </li>
  );
}
