// SPDX-License-Identifier: Apache-2.0
// The exhibits of a case by number, and beside them the life of the one that is chosen.
import { Select, TextInput } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { BadgeCheck, FileStack, Lock, Search, Trash2 } from 'lucide-react';
import { type KeyboardEvent, useDeferredValue, useEffect, useRef, useState } from 'react';
import type { Exhibit } from '../api/contract';
import { EXHIBITS_WINDOW, exhibitsPage } from '../api/queries';
import frame from '../case/case.module.css';
import { Bones, Failed, Nothing } from '../shell/States';
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
  const [typed, setTyped] = useState(search.q ?? '');
  const text = useDeferredValue(typed);
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
  useEffect(() => {
    const timer = window.setTimeout(() => {
      void navigate({ search: (now) => ({ ...now, q: typed || undefined }), replace: true });
    }, 300);
    return () => window.clearTimeout(timer);
  }, [typed, navigate]);
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
            items={items}
            chosen={search.id}
            open={open}
            narrow={Boolean(search.id) && !wide}
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

function Rows(props: {
  items: Exhibit[];
  chosen?: string;
  narrow: boolean;
  open: (id: string) => void;
  more?: () => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const { items, more } = props;
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 44,
    overscan: 12,
  });
  const shown = rows.getVirtualItems();
  const last = shown[shown.length - 1]?.index ?? 0;
  useEffect(() => {
    if (more && last > items.length - 60) more();
  }, [last, items.length, more]);
  const step = (event: KeyboardEvent, index: number) => {
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (event.key === 'Enter' && items[index]) props.open(items[index].evidence);
    if (!by) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(items.length - 1, index + by));
    rows.scrollToIndex(next);
    if (props.chosen && items[next]) props.open(items[next].evidence);
    const focus = () =>
      scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus();
    window.requestAnimationFrame(focus);
  };
  return (
    <div className={frame.scroll} ref={scroller}>
      <div
        className={props.narrow ? styles.narrowGrid : styles.grid}
        role="grid"
        aria-label="Exhibits"
        aria-rowcount={items.length}
      >
        <div className={styles.gridHead} role="row" tabIndex={-1}>
          {['Exhibit', 'Name', 'State', 'Size', 'SHA-256', 'Taken in', 'Last entry']
            .slice(0, props.narrow ? 3 : 7)
            .map((title) => (
              <span key={title} role="columnheader" tabIndex={-1}>
                {title}
              </span>
            ))}
        </div>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {shown.map((place) => {
            const item = items[place.index];
            if (!item) return null;
            return (
              <div
                key={place.key}
                role="row"
                tabIndex={0}
                data-index={place.index}
                aria-selected={props.chosen === item.evidence}
                className={styles.gridRow}
                style={{ transform: `translateY(${place.start}px)` }}
                onClick={() => props.open(item.evidence)}
                onKeyDown={(event) => step(event, place.index)}
              >
                <Cells item={item} narrow={props.narrow} />
              </div>
            );
          })}
        </div>
        {items.length === 0 && (
          <Nothing title="No exhibit matches">
            <p>Clear the text or the choice above.</p>
          </Nothing>
        )}
      </div>
    </div>
  );
}

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
