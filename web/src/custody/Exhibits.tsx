// SPDX-License-Identifier: Apache-2.0
// The exhibits of a case by number, and beside them the life of the one that is chosen.
import { Select, TextInput } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { BadgeCheck, FileStack, Lock, Search, Trash2 } from 'lucide-react';
import { useCallback } from 'react';
import type { Exhibit } from '../api/contract';
import { EXHIBITS_WINDOW, exhibitsPage } from '../api/custody';
import frame from '../case/case.module.css';
import { Rows } from '../shell/Rows';
import { Bones, Failed, Nothing } from '../shell/States';
import { useTyped } from '../shell/typed';
import { bytes, counted } from '../text/number';
import { short } from '../text/time';
import { Name, Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './custody.module.css';
import { Life } from './Life';

const ONLY = [
  { value: 'acquired', label: 'Taken in' },
  { value: 'derived', label: 'Taken out of others' },
  { value: 'disposed', label: 'Disposed of' },
];

export function Exhibits(props: { name: string }) {
  const { name } = props;
  const search = useSearch({ from: '/inside/cases/$case/custody' });
  const navigate = useNavigate({ from: '/cases/$case/custody' });
  const put = useCallback(
    (q: string | undefined) => void navigate({ search: (now) => ({ ...now, q }), replace: true }),
    [navigate],
  );
  const { typed, setTyped, text } = useTyped(search.q ?? '', put);
  const only = search.only ?? '';
  const wide = useMediaQuery('(min-width: 2100px)', undefined, { getInitialValueInEffect: false });
  const list = useInfiniteQuery({
    queryKey: ['custody', name, 'exhibits', only, text],
    queryFn: ({ pageParam, signal }) => exhibitsPage(name, text, only, pageParam, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const have = pages.reduce((sum, page) => sum + page.exhibits.length, 0);
      return last.exhibits.length === EXHIBITS_WINDOW && have < last.total ? have : undefined;
    },
    placeholderData: (kept) => kept,
  });
  const narrow = Boolean(search.id) && !wide;
  const items = list.data?.pages.flatMap((page) => page.exhibits) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  const open = (id: string | undefined) =>
    void navigate({ search: (now) => ({ ...now, id }), replace: true });
  if (list.isError && !list.data) {
    return <Failed error={list.error} again={() => void list.refetch()} />;
  }
  if (list.data && total === 0 && !only && !text) {
    return (
      <Nothing icon={<FileStack size={20} />} title="No exhibit yet">
        <p>
          Evidence becomes an exhibit when it is taken in: it gets a number, its hashes and a signed
          record of who took it, how and under which authority. Add evidence in the tab Evidence, or
          run <code>locard add {name} PATH…</code>
        </p>
      </Nothing>
    );
  }
  return (
    <>
      <div className={frame.tools}>
        <TextInput
          aria-label="Find an exhibit"
          placeholder="Number, name, hash or person"
          size="xs"
          w={260}
          leftSection={<Search size={14} />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Select
          aria-label="Which exhibits"
          placeholder="All exhibits"
          size="xs"
          w={180}
          clearable
          data={ONLY}
          value={search.only ?? null}
          onChange={(next) =>
            void navigate({ search: (now) => ({ ...now, only: next ?? undefined }) })
          }
        />
        <span className="muted number">{list.data && counted(total, 'exhibit')}</span>
      </div>
      {!list.data ? (
        <div style={{ padding: 16 }}>
          <Bones rows={12} height={22} />
        </div>
      ) : (
        <div className={frame.split}>
          <Rows
            label="Exhibits"
            items={items}
            idOf={(item) => item.evidence}
            titles={narrow ? TITLES.slice(0, NARROW) : TITLES}
            cells={(item) => <Cells item={item} narrow={narrow} />}
            height={44}
            grid={narrow ? styles.narrowGrid : styles.grid}
            none={{ title: 'No exhibit matches', advice: 'Clear the text or the choice above.' }}
            chosen={search.id}
            open={open}
            more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
          />
          {search.id && (
            <Life key={search.id} name={name} id={search.id} close={() => open(undefined)} />
          )}
        </div>
      )}
    </>
  );
}

const TITLES = ['Exhibit', 'Name', 'State', 'Size', 'SHA-256', 'Taken in', 'Last entry'].map(
  (text) => ({ text }),
);
const NARROW = 3;

function Cells(props: { item: Exhibit; narrow: boolean }) {
  const { item } = props;
  const { zone } = usePreferences();
  const from = item.parent ? `out of ${item.parent}` : item.authority;
  return (
    <>
      <span role="gridcell" tabIndex={-1} className="mono number">
        {item.number}
      </span>
      <span role="gridcell" tabIndex={-1} className={frame.name}>
        <Name text={item.name} />
        <small className="clip">
          <Value text={from} limit={200} />
        </small>
      </span>
      <span role="gridcell" tabIndex={-1}>
        <KeepingState state={item.state} />
      </span>
      {!props.narrow && (
        <>
          <span role="gridcell" tabIndex={-1} className="number muted">
            {bytes(item.size)}
          </span>
          <span role="gridcell" tabIndex={-1} className="mono faint clip" title={item.evidence}>
            {item.evidence.slice(0, 20)}…
          </span>
          <span role="gridcell" tabIndex={-1} className="muted clip">
            {short(item.taken, zone)} <Value text={item.taken_by} limit={60} />
          </span>
          <span role="gridcell" tabIndex={-1} className="muted clip">
            {item.last && (
              <>
                {short(item.last.time, zone)} {item.last.verb} · {item.last.actor}
              </>
            )}
          </span>
        </>
      )}
    </>
  );
}

const STATES: Record<string, { tone: string; icon: typeof Lock }> = {
  kept: { tone: '', icon: BadgeCheck },
  held: { tone: 'busy', icon: Lock },
  'disposal asked': { tone: 'warn', icon: Trash2 },
  disposed: { tone: 'bad', icon: Trash2 },
};

export function KeepingState(props: { state: string }) {
  const look = STATES[props.state];
  const Icon = look?.icon ?? BadgeCheck;
  return (
    <span className={frame.badge} data-tone={look?.tone || undefined}>
      <Icon size={12} />
      {props.state === 'held' ? 'legal hold' : props.state}
    </span>
  );
}
