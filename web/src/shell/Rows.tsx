// SPDX-License-Identifier: Apache-2.0
// A list of any length, of which only what is seen is drawn; by the keyboard too.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import frame from '../case/case.module.css';
import look from './rows.module.css';
import { Nothing } from './States';

/** Where the next window is asked for: so many rows before the end of what is here. */
const AHEAD = 60;

export interface Title {
  text: string;
  /** Whether the column holds numbers, which stand on the right. */
  right?: boolean;
}

export function Rows<Item>(props: {
  label: string;
  items: Item[];
  idOf: (item: Item) => string;
  titles: Title[];
  cells: (item: Item) => ReactNode;
  /** Pixels of a row. */
  height: number;
  /** The class that says the columns. */
  grid?: string;
  chosen?: string;
  open: (id: string) => void;
  more?: () => void;
  /** What to say when a search finds nothing, and what to do about it. */
  none: { title: string; advice: string };
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const { items, more, idOf } = props;
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => props.height,
    overscan: 12,
  });
  const seen = rows.getVirtualItems();
  const last = seen[seen.length - 1]?.index ?? 0;
  useEffect(() => {
    if (more && last > items.length - AHEAD) more();
  }, [last, items.length, more]);
  const step = (event: KeyboardEvent, index: number) => {
    const here = items[index];
    if (event.key === 'Enter' && here) props.open(idOf(here));
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(items.length - 1, index + by));
    rows.scrollToIndex(next);
    const there = items[next];
    if (props.chosen && there) props.open(idOf(there));
    window.requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus(),
    );
  };
  return (
    <div className={look.scroll} ref={scroller}>
      <div className={props.grid} role="grid" aria-label={props.label} aria-rowcount={items.length}>
        <div className={look.head} role="row" tabIndex={-1}>
          {props.titles.map((title) => (
            <span
              key={title.text}
              role="columnheader"
              tabIndex={-1}
              className={title.right ? frame.right : undefined}
            >
              {title.text}
            </span>
          ))}
        </div>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {seen.map((place) => {
            const item = items[place.index];
            if (!item) return null;
            const id = idOf(item);
            return (
              <div
                key={place.key}
                role="row"
                tabIndex={0}
                data-index={place.index}
                aria-selected={props.chosen === id}
                className={look.row}
                style={{ height: props.height, transform: `translateY(${place.start}px)` }}
                onClick={() => props.open(id)}
                onKeyDown={(event) => step(event, place.index)}
              >
                {props.cells(item)}
              </div>
            );
          })}
        </div>
        {items.length === 0 && (
          <Nothing title={props.none.title}>
            <p>{props.none.advice}</p>
          </Nothing>
        )}
      </div>
    </div>
  );
}
