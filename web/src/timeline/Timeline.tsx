// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useRef, useState } from 'react';
import { Failure } from '../api/client';
import type { Histogram as Answer } from '../api/contract';
import { eventCount } from '../api/queries';
import { Bones, Failed } from '../shell/States';
import { count } from '../text/number';
import { choose, usePreferences } from '../theme/preferences';
import { Chips } from './Chips';
import { Drawer } from './Drawer';
import { Facets } from './Facets';
import { Grid, type GridHandle } from './Grid';
import { useGrowth } from './growth';
import { Head, type Told } from './Head';
import { Histogram } from './Histogram';
import { useKeys } from './keys';
import { typedPlace } from './language';
import { mark, toggleStar, undo } from './marks';
import { NoRows, NotUnderstood } from './NoRows';
import { type Mistake, QueryBar } from './QueryBar';
import { type Rows, rowsBetween } from './rows';
import { type Searching, useSearching } from './search';
import { Tagging } from './Tagging';
import { Tools } from './Tools';
import styles from './timeline.module.css';
import { useZoneOfAddress } from './zone';

/** Rows that can be marked in one stroke. */
const MOST_MARKED = 5000;
const NOTHING_TOLD: Told = { error: null, notes: [], took: null };

export function Timeline() {
  const searching = useSearching();
  const { name, address, asked, change, look, now } = searching;
  useZoneOfAddress(address, look);
  const { facetsOpen } = usePreferences();
  const total = useQuery({ ...eventCount(name, asked), placeholderData: keepPreviousData });
  const [cursor, setCursor] = useState((address.row ?? 1) - 1);
  const [marked, setMarked] = useState<Map<string, number>>(new Map());
  const [tagging, setTagging] = useState<string[] | null>(null);
  const [proving, setProving] = useState<string | null>(null);
  const [told, setTold] = useState<Told>(NOTHING_TOLD);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const grid = useRef<GridHandle>(null);
  const query = useRef<HTMLInputElement>(null);
  const anchor = useRef(0);
  /** A row that was to be opened before it was here; it opens when it comes. */
  const awaited = useRef<number | null>(null);
  const rows = total.data?.count ?? 0;
  const growth = useGrowth(name, total.dataUpdatedAt, total.data?.count);
  const narrowPage = useMediaQuery('(max-width: 1500px)');
  const crowded = narrowPage && Boolean(address.event);

  // A new search begins at its first row and forgets what was marked in the old one.
  const key = JSON.stringify([asked, searching.order]);
  const [shownKey, setShownKey] = useState(key);
  if (shownKey !== key) {
    setShownKey(key);
    setCursor((address.row ?? 1) - 1);
    setMarked(new Map());
    awaited.current = null;
    // What the rows of the old search told, an error above all, is nothing that the new one says.
    setTold(NOTHING_TOLD);
  }

  const latest = useRef(key);
  latest.current = key;

  const rowAt = useCallback((index: number) => grid.current?.rows.row(index), []);
  const goTo = useCallback(
    (index: number, open: boolean) => {
      setCursor(index);
      grid.current?.reveal(index);
      const row = grid.current?.rows.row(index);
      awaited.current = open && !row ? index : null;
      if (open && row) look({ event: row.id, row: index + 1 });
    },
    [look],
  );
  /** Marks rows of a range that were scrolled past, and have to be asked for. */
  const markUnseen = useCallback(
    async (first: number, last: number) => {
      const found = await rowsBetween(name, asked, searching.order, first, last).catch(() => null);
      if (latest.current !== key) return;
      if (!found) {
        notifications.show({ color: 'red', message: 'Not all rows of the range could be marked.' });
        return;
      }
      setMarked((before) => {
        const next = new Map(before);
        for (const [at, row] of found.entries()) next.set(row.id, first + at);
        return next;
      });
      if (found.length === MOST_MARKED) {
        notifications.show({ message: `${count(MOST_MARKED)} rows are marked, the most at once.` });
      }
    },
    [name, asked, searching.order, key],
  );
  const toggleMark = useCallback(
    (index: number, range: boolean) => {
      setCursor(index);
      const first = range ? Math.min(anchor.current, index) : index;
      const last = Math.min(
        range ? Math.max(anchor.current, index) : index,
        first + MOST_MARKED - 1,
      );
      anchor.current = index;
      setMarked((now) => {
        const next = new Map(now);
        for (let at = first; at <= last; at += 1) {
          const row = rowAt(at);
          if (!row) continue;
          if (!range && next.has(row.id)) next.delete(row.id);
          else next.set(row.id, at);
        }
        return next;
      });
      if (range && Array.from({ length: last - first + 1 }).some((_, at) => !rowAt(first + at))) {
        void markUnseen(first, last);
      }
    },
    [rowAt, markUnseen],
  );
  const pick = useCallback(
    (index: number, how: { range: boolean; open: boolean }) => {
      if (how.range) return toggleMark(index, true);
      anchor.current = index;
      goTo(index, how.open);
    },
    [goTo, toggleMark],
  );
  const star = useCallback(
    (index: number) => {
      const row = rowAt(index);
      if (row) void toggleStar(name, row.id);
    },
    [name, rowAt],
  );
  const rowsChanged = useCallback(
    (now: Rows) => {
      setTold((old) =>
        old.error === now.error && old.took === now.took && old.notes.join() === now.notes.join()
          ? old
          : { error: now.error, notes: now.notes, took: now.took },
      );
      const index = awaited.current;
      const row = index === null || now.stale ? undefined : now.row(index);
      if (index === null || !row) return;
      awaited.current = null;
      look({ event: row.id, row: index + 1 });
    },
    [look],
  );
  const narrow = useCallback((from: string, to: string) => change({ from, to }), [change]);
  const aimed = (): string[] => {
    if (marked.size > 0) return [...marked.keys()];
    // A row that has not come yet is not there to be aimed at, and nothing else is in its place.
    const open = awaited.current === null ? now().event : undefined;
    const id = open ?? rowAt(cursor)?.id;
    return id ? [id] : [];
  };
  const close = () => {
    awaited.current = null;
    look({ event: undefined, row: undefined });
  };
  const step = (by: number) => {
    if (rows === 0) return;
    goTo(Math.min(Math.max(0, cursor + by), rows - 1), Boolean(now().event));
  };

  useKeys({
    move: step,
    edge: (end) => rows > 0 && goTo(end ? rows - 1 : 0, Boolean(now().event)),
    open: () => {
      const row = rowAt(cursor);
      if (row && row.id === now().event) close();
      else goTo(cursor, true);
    },
    escape: () => {
      if (now().event || awaited.current !== null) close();
      else setMarked(new Map());
    },
    markRow: (range) => toggleMark(cursor, range),
    star: () => {
      const ids = aimed();
      const [only] = ids;
      if (ids.length === 1 && only) void toggleStar(name, only);
      else void mark(name, { ids, star: true });
    },
    tag: () => {
      const ids = aimed();
      if (ids.length > 0) setTagging(ids);
    },
    search: () => {
      query.current?.focus();
      query.current?.select();
    },
    undo: () => void undo(name),
    prove: () => {
      const id = now().event ?? rowAt(cursor)?.id;
      if (!now().event) goTo(cursor, true);
      if (id) setProving(id);
    },
    facets: () => choose({ facetsOpen: !facetsOpen }),
    turn: () => change({ order: searching.order === 'asc' ? 'desc' : undefined }),
    page: grid.current?.page ?? 20,
  });

  const failure = [total.error, told.error].find((each) => each instanceof Failure) as
    | Failure
    | undefined;
  const badQuery = failure?.problem.position !== undefined ? failure.problem : null;
  return (
    <div className={styles.page}>
      <div className={styles.toolbar}>
        <QueryBar
          name={name}
          text={address.q ?? ''}
          mistake={badQuery ? mistakeOf(badQuery, searching) : null}
          input={query}
          submit={(q) => change({ q: q || undefined })}
        />
        <Tools searching={searching} total={rows} />
      </div>
      <Chips searching={searching} />
      <Head
        searching={searching}
        total={rows}
        undated={total.data?.undated ?? 0}
        known={total.data !== undefined}
        told={told}
        counted={total.data?.notes ?? []}
        growth={growth}
        answer={answer}
      />
      <Histogram
        name={name}
        asked={asked}
        outliers={Boolean(address.from || address.to || address.outliers)}
        narrow={narrow}
        ready={setAnswer}
      />
      <div className={styles.columns}>
        {facetsOpen && !crowded && !badQuery && <Facets searching={searching} />}
        <div className={styles.table}>
          {badQuery ? (
            <NotUnderstood problem={badQuery} />
          ) : failure && !total.isPlaceholderData && total.data === undefined ? (
            <Failed error={failure} again={() => void total.refetch()} />
          ) : failure ? (
            <Failed error={failure} again={() => grid.current?.rows.again()} />
          ) : total.data === undefined ? (
            <div style={{ padding: 14 }}>
              <Bones rows={18} />
            </div>
          ) : rows === 0 && !total.isPlaceholderData ? (
            <NoRows searching={searching} />
          ) : (
            <Grid
              searching={searching}
              total={rows}
              known={!total.isPlaceholderData}
              cursor={cursor}
              marked={marked}
              handle={grid}
              pick={pick}
              toggleMark={toggleMark}
              star={star}
              rowsChanged={rowsChanged}
            />
          )}
          {marked.size > 0 && (
            <div className={styles.bulk} role="toolbar" aria-label="Marked rows">
              <strong className="number">{count(marked.size)} marked</strong>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => void mark(name, { ids: [...marked.keys()], star: true })}
              >
                Star <kbd>s</kbd>
              </Button>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => setTagging([...marked.keys()])}
              >
                Tag <kbd>t</kbd>
              </Button>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => void mark(name, { ids: [...marked.keys()], star: false })}
              >
                Unstar
              </Button>
              <Button
                size="compact-sm"
                variant="subtle"
                color="gray"
                onClick={() => setMarked(new Map())}
              >
                Unmark <kbd>Esc</kbd>
              </Button>
            </div>
          )}
        </div>
        {address.event && (
          <Drawer
            searching={searching}
            id={address.event}
            step={step}
            tag={(id) => setTagging([id])}
            close={close}
            proving={proving}
            proved={() => setProving(null)}
          />
        )}
      </div>
      <Tagging name={name} ids={tagging} close={() => setTagging(null)} />
    </div>
  );
}

function mistakeOf(problem: Failure['problem'], searching: Searching): Mistake {
  const typed = searching.address.q ?? '';
  return {
    message: problem.message ?? problem.detail,
    ...typedPlace(problem.position ?? 0, problem.length ?? 1, typed, searching.filters),
    suggestion: problem.suggestion ?? '',
  };
}
