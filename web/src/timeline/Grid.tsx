// SPDX-License-Identifier: Apache-2.0
import {
  type CSSProperties,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { usePreferences } from '../theme/preferences';
import { fitting, leastWidth, template, WIDE_TIME, widthOf } from './columns';
import { GridHead } from './GridHead';
import { GridRow } from './GridRow';
import type { Rows } from './rows';
import { useRows } from './rows';
import { clampTop, isMapped, revealing, scrollOf, shown, topOf, trackHeight } from './scroll';
import type { Searching } from './search';
import styles from './timeline.module.css';

const HEAD = 28;

export interface GridHandle {
  reveal: (row: number) => void;
  rows: Rows;
  /** How many rows fit into the view. */
  page: number;
}

export function Grid(props: {
  searching: Searching;
  total: number;
  /** Whether the total is that of this search, not of the one before. */
  known: boolean;
  cursor: number;
  marked: ReadonlyMap<string, number>;
  handle: RefObject<GridHandle | null>;
  pick: (index: number, how: { range: boolean; open: boolean }) => void;
  toggleMark: (index: number, range: boolean) => void;
  star: (index: number) => void;
  rowsChanged: (rows: Rows) => void;
}) {
  const { searching, total, known, cursor, marked, rowsChanged } = props;
  const { density, widths, zone } = usePreferences();
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState(600);
  const [wide, setWide] = useState(0);
  const [place, setPlace] = useState({ top: 0, scroll: 0 });
  const setByUs = useRef(-1);
  const rowHeight = density === 'compact' ? 24 : 32;
  const track = { rows: total, rowHeight, view };
  const seen = shown(place.top, track);
  const rows = useRows(searching.name, searching.asked, searching.order, seen);
  const latest = useRef(track);
  latest.current = track;

  const go = useCallback((wanted: number) => {
    const element = scroller.current;
    if (!element) return;
    const top = clampTop(wanted, latest.current);
    const scroll = scrollOf(top, latest.current);
    setByUs.current = scroll;
    element.scrollTop = scroll;
    setPlace({ top, scroll: element.scrollTop });
  }, []);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      setView(Math.max(1, element.clientHeight - HEAD));
      setWide(element.clientWidth);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const scrolled = () => {
      const scroll = element.scrollTop;
      if (Math.abs(scroll - setByUs.current) <= 1) {
        setByUs.current = -1;
        return;
      }
      setByUs.current = -1;
      setPlace((now) =>
        now.scroll === scroll ? now : { top: topOf(scroll, latest.current), scroll },
      );
    };
    // Where the scrollbar is a map of millions of rows, the wheel still moves row by row.
    const wheel = (event: WheelEvent) => {
      if (!isMapped(latest.current) || event.ctrlKey || event.deltaY === 0) return;
      event.preventDefault();
      const unit =
        event.deltaMode === 1
          ? latest.current.rowHeight
          : event.deltaMode === 2
            ? latest.current.view
            : 1;
      element.scrollLeft += event.deltaX;
      setPlace((now) => {
        const top = clampTop(now.top + event.deltaY * unit, latest.current);
        const scroll = scrollOf(top, latest.current);
        setByUs.current = scroll;
        element.scrollTop = scroll;
        return { top, scroll: element.scrollTop };
      });
    };
    element.addEventListener('scroll', scrolled, { passive: true });
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      element.removeEventListener('scroll', scrolled);
      element.removeEventListener('wheel', wheel);
    };
  }, []);

  // A new search starts at its first row; a link with an open event starts at that event's row.
  const key = JSON.stringify([searching.asked, searching.order]);
  const shownKey = useRef('');
  useEffect(() => {
    const row = searching.address.row ?? 0;
    if (shownKey.current === key || total === 0 || (row > 0 && !known)) return;
    shownKey.current = key;
    go(row > 0 ? (row - Math.floor(latest.current.view / rowHeight / 2)) * rowHeight : 0);
  }, [key, total, known, go, rowHeight, searching.address.row]);

  useImperativeHandle(props.handle, () => ({
    reveal: (row) => go(revealing(row, place.top, latest.current)),
    rows,
    page: Math.max(1, Math.floor(view / rowHeight) - 1),
  }));

  useEffect(() => rowsChanged(rows));

  // Beside the open drawer there is room for less; all columns come back when it closes.
  const columns =
    searching.address.event && wide > 0
      ? fitting(searching.columns, widths, wide)
      : searching.columns;
  const tracks = template(columns, widths);
  const list = [];
  for (let index = seen.first; index < seen.last; index += 1) {
    const row = rows.row(index);
    list.push(
      <GridRow
        key={index}
        index={index}
        row={row}
        y={index * rowHeight - place.top + place.scroll}
        columns={columns}
        template={tracks}
        zone={zone}
        wide={widthOf('time', widths) >= WIDE_TIME}
        cursor={index === cursor}
        open={row !== undefined && row.id === searching.address.event}
        marked={row !== undefined && marked.has(row.id)}
        pick={props.pick}
        toggleMark={props.toggleMark}
        star={props.star}
      />,
    );
  }
  return (
    <div
      ref={scroller}
      className={styles.grid}
      role="grid"
      tabIndex={0}
      aria-label="Events"
      aria-rowcount={total}
      aria-colcount={columns.length + 1}
      aria-multiselectable
      aria-activedescendant={total > 0 ? `row-${cursor}` : undefined}
      data-stale={rows.stale || undefined}
      style={{ '--least': `${leastWidth(columns, widths)}px` } as CSSProperties}
    >
      <GridHead searching={searching} columns={columns} template={tracks} />
      <div role="rowgroup" className={styles.rows} style={{ height: trackHeight(track) }}>
        {list}
      </div>
    </div>
  );
}
