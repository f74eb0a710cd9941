// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronsLeft, ChevronsRight, ListTree, SearchX } from 'lucide-react';
import { useCallback, useRef, useState } from 'react';
import { Failure } from '../api/client';
import type { Histogram as Answer } from '../api/contract';
import { eventCount, oneCase } from '../api/queries';
import { Bones, Failed, Nothing } from '../shell/States';
import { count, counted } from '../text/number';
import { isoOf, short, span } from '../text/time';
import { choose, usePreferences } from '../theme/preferences';
import { Chips } from './Chips';
import { Drawer } from './Drawer';
import { Facets } from './Facets';
import { Grid, type GridHandle } from './Grid';
import { Histogram, rangeOf } from './Histogram';
import { useKeys } from './keys';
import { typedPosition } from './language';
import { mark, undo } from './marks';
import { PROVE } from './Provenance';
import { type Mistake, QueryBar } from './QueryBar';
import type { Rows } from './rows';
import { type Searching, useSearching } from './search';
import { Tagging } from './Tagging';
import { Tools } from './Tools';
import styles from './timeline.module.css';

interface Told {
  error: unknown;
  notes: string[];
  took: number | null;
}

export function Timeline() {
  const searching = useSearching();
  const { name, address, asked, change, look } = searching;
  const { facetsOpen } = usePreferences();
  const total = useQuery({ ...eventCount(name, asked), placeholderData: keepPreviousData });
  const [cursor, setCursor] = useState((address.row ?? 1) - 1);
  const [marked, setMarked] = useState<Map<string, number>>(new Map());
  const [tagging, setTagging] = useState<string[] | null>(null);
  const [told, setTold] = useState<Told>({ error: null, notes: [], took: null });
  const [answer, setAnswer] = useState<Answer | null>(null);
  const grid = useRef<GridHandle>(null);
  const query = useRef<HTMLInputElement>(null);
  const anchor = useRef(0);
  const rows = total.data?.count ?? 0;
  const narrowPage = useMediaQuery('(max-width: 1500px)');
  const crowded = narrowPage && Boolean(address.event);

  // A new search begins at its first row and forgets what was marked in the old one.
  const key = JSON.stringify([asked, searching.order]);
  const [shownKey, setShownKey] = useState(key);
  if (shownKey !== key) {
    setShownKey(key);
    setCursor(0);
    setMarked(new Map());
  }

  const rowAt = useCallback((index: number) => grid.current?.rows.row(index), []);
  const goTo = useCallback(
    (index: number, open: boolean) => {
      setCursor(index);
      grid.current?.reveal(index);
      const row = grid.current?.rows.row(index);
      if (open && row) look({ event: row.id, row: index + 1 });
    },
    [look],
  );
  const toggleMark = useCallback(
    (index: number, range: boolean) => {
      setCursor(index);
      setMarked((now) => {
        const next = new Map(now);
        const first = range ? Math.min(anchor.current, index) : index;
        const last = range ? Math.max(anchor.current, index) : index;
        for (let at = first; at <= last; at += 1) {
          const row = rowAt(at);
          if (!row) continue;
          if (!range && next.has(row.id)) next.delete(row.id);
          else next.set(row.id, at);
        }
        anchor.current = index;
        return next;
      });
    },
    [rowAt],
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
      if (row) void mark(name, { ids: [row.id], star: !row.starred });
    },
    [name, rowAt],
  );
  const rowsChanged = useCallback((now: Rows) => {
    setTold((old) =>
      old.error === now.error && old.took === now.took && old.notes.join() === now.notes.join()
        ? old
        : { error: now.error, notes: now.notes, took: now.took },
    );
  }, []);
  const narrow = useCallback((from: string, to: string) => change({ from, to }), [change]);
  const aimed = (): string[] => {
    if (marked.size > 0) return [...marked.keys()];
    const row = rowAt(cursor);
    return address.event && (!row || row.id !== address.event)
      ? [address.event]
      : row
        ? [row.id]
        : [];
  };
  const step = (by: number) => {
    if (rows === 0) return;
    goTo(Math.min(Math.max(0, cursor + by), rows - 1), Boolean(address.event));
  };

  useKeys({
    move: step,
    edge: (end) => rows > 0 && goTo(end ? rows - 1 : 0, false),
    open: () => {
      const row = rowAt(cursor);
      if (row && row.id === address.event) look({ event: undefined, row: undefined });
      else goTo(cursor, true);
    },
    escape: () => {
      if (address.event) look({ event: undefined, row: undefined });
      else setMarked(new Map());
    },
    markRow: (range) => toggleMark(cursor, range),
    star: () => {
      const ids = aimed();
      const on = ids.length === 1 ? !rowAt(cursor)?.starred : true;
      void mark(name, { ids, star: on });
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
    prove: () => window.dispatchEvent(new Event(PROVE)),
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
        answer={answer}
      />
      <Histogram name={name} asked={asked} narrow={narrow} ready={setAnswer} />
      <div className={styles.columns}>
        {facetsOpen && !crowded && <Facets searching={searching} />}
        <div className={styles.table}>
          {failure && !total.isPlaceholderData && total.data === undefined ? (
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
            tag={() => address.event && setTagging([address.event])}
            close={() => look({ event: undefined, row: undefined })}
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
    position: Math.max(0, typedPosition(problem.position ?? 0, typed, searching.filters)),
    length: problem.length ?? 1,
    suggestion: problem.suggestion ?? '',
  };
}

/** One line that says what is seen: how many, from when to when, in which zone, how fast. */
function Head(props: {
  searching: Searching;
  total: number;
  undated: number;
  known: boolean;
  told: Told;
  answer: Answer | null;
}) {
  const { searching, total, known, told, answer } = props;
  const { zone, facetsOpen } = usePreferences();
  const { address, change } = searching;
  const range = rangeOf(answer);
  const narrowed = Boolean(address.from || address.to);
  const wider = () => {
    if (!range) return;
    const more = (range.to - range.from) / 2;
    change({ from: isoOf(range.from - more), to: isoOf(range.to + more) });
  };
  return (
    <div className={styles.head}>
      <button
        type="button"
        className={styles.fold}
        aria-label={facetsOpen ? 'Hide facets' : 'Show facets'}
        title={`${facetsOpen ? 'Hide' : 'Show'} facets ([)`}
        onClick={() => choose({ facetsOpen: !facetsOpen })}
      >
        {facetsOpen ? <ChevronsLeft size={14} /> : <ChevronsRight size={14} />}
      </button>
      <strong className="number" aria-live="polite">
        {known ? counted(total, 'event') : ' '}
      </strong>
      {range && answer && (
        <span className="muted number">
          {short(isoOf(range.from), zone)} – {short(isoOf(range.to), zone)} {zone} · bars of{' '}
          {span(answer.width_ms)}
        </span>
      )}
      {props.undated > 0 && (
        <span className="muted number">{count(props.undated)} without a time</span>
      )}
      {told.notes.map((note) => (
        <span key={note} className={styles.note}>
          {note}
        </span>
      ))}
      <span style={{ flex: 1 }} />
      {narrowed && (
        <>
          <button type="button" className={styles.plain} onClick={() => window.history.back()}>
            Back
          </button>
          <button type="button" className={styles.plain} onClick={wider}>
            Zoom out
          </button>
          <button
            type="button"
            className={styles.plain}
            onClick={() => change({ from: undefined, to: undefined })}
          >
            Whole span
          </button>
        </>
      )}
      {told.took !== null && (
        <span className="faint number">{count(Math.round(told.took))} ms</span>
      )}
    </div>
  );
}

function NoRows(props: { searching: Searching }) {
  const { name, address, change } = props.searching;
  const one = useQuery(oneCase(name));
  const searched = Boolean(address.q || address.f || address.from || address.to);
  if (!searched || one.data?.events === 0) {
    return (
      <Nothing
        icon={<ListTree size={20} />}
        title="The timeline has no events yet"
        actions={
          <Link to="/cases/$case/evidence" params={{ case: name }}>
            <Button component="span">Add evidence</Button>
          </Link>
        }
      >
        <p>Events appear here while evidence is being read, the first ones within seconds.</p>
      </Nothing>
    );
  }
  return (
    <Nothing
      icon={<SearchX size={20} />}
      title="Nothing matches"
      actions={
        <>
          {(address.from || address.to) && (
            <Button variant="default" onClick={() => change({ from: undefined, to: undefined })}>
              Search the whole span
            </Button>
          )}
          {address.f && (
            <Button variant="default" onClick={() => change({ f: undefined })}>
              Take the filters away
            </Button>
          )}
          <Button
            variant="default"
            onClick={() => change({ q: undefined, f: undefined, from: undefined, to: undefined })}
          >
            Show everything
          </Button>
        </>
      }
    >
      <p>
        Words are looked for whole; write <code>*word*</code> to find a part of one.
      </p>
    </Nothing>
  );
}
