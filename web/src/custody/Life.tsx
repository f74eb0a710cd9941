// SPDX-License-Identifier: Apache-2.0
// The life of one exhibit: what it is, where it came from, and everything that happened to it.
import { ActionIcon, Button, Checkbox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useMay } from '../access/may';
import type { ExhibitWhole } from '../api/contract';
import { exhibit, keeping } from '../api/custody';
import { ExportBundle } from '../case/ExportBundle';
import { OnTheCopy } from '../case/OnTheCopy';
import { CopyIcon } from '../shell/CopyIcon';
import { Bones, Failed } from '../shell/States';
import { bytes, count } from '../text/number';
import { told } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './custody.module.css';
import { AskDialog } from './dialogs';
import { Entries, Filters } from './Entries';
import { Pair } from './EntryProof';
import { KeepingState } from './Exhibits';
import { KINDS } from './telling';

export function Life(props: { name: string; id: string; close: () => void }) {
  const found = useQuery(exhibit(props.name, props.id));
  const search = useSearch({ from: '/inside/cases/$case/custody' });
  const navigate = useNavigate({ from: '/cases/$case/custody' });
  const [whole, setWhole] = useState(true);
  const kind = search.kind ? KINDS[search.kind] : undefined;
  const asked = useMemo(
    () => ({ evidence: props.id, whole: whole || undefined, verb: kind?.verbs }),
    [props.id, whole, kind],
  );
  const one = found.data;
  return (
    <aside className={styles.life} aria-label="Life of the exhibit">
      <header className={styles.lifeHead}>
        <div style={{ minWidth: 0 }}>
          <span className="mono muted">{one?.number ?? '…'}</span>
          <h2 style={{ overflowWrap: 'anywhere' }}>
            {one && <Value text={one.name} limit={300} />}
          </h2>
        </div>
        {one && <KeepingState state={one.state} />}
        <ActionIcon variant="subtle" color="gray" aria-label="Close" onClick={props.close}>
          <X size={16} />
        </ActionIcon>
      </header>
      {found.isError && <Failed error={found.error} again={() => void found.refetch()} />}
      {one ? <What one={one} name={props.name} /> : found.isPending && <Bones rows={5} />}
      {one && <ExportBundle name={props.name} exhibit={one.number} />}
      {one && one.state !== 'disposed' && <Dispose one={one} name={props.name} />}
      <div className={styles.filtersLine}>
        <Filters
          name={props.name}
          kinds={['taken', 'read', 'checked', 'kept', 'left']}
          kind={search.kind}
          setKind={(next) =>
            void navigate({ search: (now) => ({ ...now, kind: next }), replace: true })
          }
        />
        <Checkbox
          size="xs"
          label="What happened to the whole case, too"
          checked={whole}
          onChange={(event) => setWhole(event.currentTarget.checked)}
        />
      </div>
      <Entries name={props.name} asked={asked} life />
    </aside>
  );
}

/** Asks for the disposal of this one exhibit, with what was taken out of it. */
function Dispose(props: { one: ExhibitWhole; name: string }) {
  const [open, setOpen] = useState(false);
  const kept = useQuery(keeping(props.name)).data;
  const { may } = useMay('dispose', props.name);
  if (!may || !kept || kept.barred || props.one.state === 'disposal asked') return null;
  return (
    <div>
      <Button color="red" variant="outline" onClick={() => setOpen(true)}>
        Ask for disposal of {props.one.number}
      </Button>
      <AskDialog
        name={props.name}
        evidence={[props.one.evidence]}
        opened={open}
        close={() => setOpen(false)}
      />
    </div>
  );
}

function What(props: { one: ExhibitWhole; name: string }) {
  const { one } = props;
  const { zone } = usePreferences();
  const record = one.record as Record<string, Record<string, string> | undefined>;
  const said = (part: string, bare: string[]) =>
    Object.entries(record[part] ?? {})
      .filter(([, value]) => typeof value === 'string' && value)
      .map(([key, value]) => (bare.includes(key) ? value : `${key.replaceAll('_', ' ')} ${value}`))
      .join(' · ');
  return (
    <>
      <dl className={styles.pairs}>
        <Pair title="Came from">
          {one.parent ? (
            <>
              <Link
                to="/cases/$case/custody"
                params={{ case: props.name }}
                search={(now: object) => ({ ...now, id: one.parent_evidence })}
              >
                {one.parent}
              </Link>
              , as <Value text={one.member} limit={300} />
            </>
          ) : (
            <Value text={said('source', ['name']) || one.name} limit={400} />
          )}
        </Pair>
        <Pair title="Taken in">
          {told(one.taken, zone).replace(/\.\d+ /, ' ')} by <Value text={one.taken_by} limit={80} />
        </Pair>
        <Pair title="Authority">
          {one.authority ? (
            <Value text={said('authority', ['kind', 'reference'])} limit={600} />
          ) : (
            <span className="faint">none was entered when it was taken in</span>
          )}
        </Pair>
        <Pair title="Size">{bytes(one.size)}</Pair>
        <Pair title="SHA-256">
          <span className="mono" style={{ fontSize: 12, overflowWrap: 'anywhere' }}>
            {one.evidence}
          </span>{' '}
          <CopyIcon value={one.evidence} what="the SHA-256" />
        </Pair>
        <Pair title="Hashed">
          <Value text={String(one.record.hash_point ?? '')} limit={300} />
        </Pair>
        <Requests record={one.record} />
        {one.copy_of_it && (
          <Pair title="Its rows">
            <OnTheCopy name={props.name} copy={one.copy_of_it} to="custody" />
          </Pair>
        )}
        <Pair title="Kept in">
          <Value text={said('storage', ['kind', 'place'])} limit={400} />
        </Pair>
      </dl>
      <details>
        <summary>The record as it was signed</summary>
        <pre className={styles.raw}>
          <Value text={JSON.stringify(one.record, null, 1)} limit={20_000} lines />
        </pre>
      </details>
    </>
  );
}

/** The calls of a provider by which it was taken: how many of which, and the id of each. */
function Requests(props: { record: ExhibitWhole['record'] }) {
  const made = (props.record.requests ?? []) as Record<string, string | undefined>[];
  const further = Number(props.record.further_requests ?? 0);
  if (made.length === 0) return null;
  const calls = new Map<string, number>();
  for (const one of made) calls.set(one.call ?? '', (calls.get(one.call ?? '') ?? 0) + 1);
  const told = [...calls].map(([call, times]) => (times > 1 ? `${call} ${count(times)}×` : call));
  return (
    <Pair title="Requests">
      <details>
        <summary>
          <Value text={told.join(' · ')} limit={300} />
          {further > 0 &&
            ` and ${count(further)} further ones, listed in an exhibit of their own (…-requests.csv)`}
        </summary>
        <ul className={styles.requests}>
          {made.map((one, at) => (
            <li key={at} className="mono">
              <Value text={[one.id || 'no id', one.time, one.status].join(' ')} limit={200} />
            </li>
          ))}
        </ul>
      </details>
    </Pair>
  );
}
