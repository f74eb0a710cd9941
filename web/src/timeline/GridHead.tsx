// SPDX-License-Identifier: Apache-2.0
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type PointerEvent, useState } from 'react';
import { choose, preferences, usePreferences } from '../theme/preferences';
import { moved, NARROWEST, widthOf } from './columns';
import { columnsChange, type Searching } from './search';
import styles from './timeline.module.css';

/** Names of the columns: dragged to move, dragged at the edge to size, the time turns the order. */
export function GridHead(props: { searching: Searching; columns: string[]; template: string }) {
  const { searching } = props;
  const { zone } = usePreferences();
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);

  const drop = (before: string) => {
    if (dragged) {
      const columns = moved(searching.columns, dragged, before);
      choose({ columns });
      searching.look(columnsChange(columns));
    }
    setDragged(null);
    setOver(null);
  };

  return (
    <div
      className={styles.gridHead}
      role="row"
      tabIndex={-1}
      aria-rowindex={1}
      style={{ gridTemplateColumns: props.template }}
    >
      <span role="columnheader" tabIndex={-1}>
        <span className="hidden-word">Marks and outcome</span>
      </span>
      {props.columns.map((column) => (
        <div
          key={column}
          role="columnheader"
          tabIndex={-1}
          className={styles.gridTitle}
          draggable
          data-over={over === column || undefined}
          aria-sort={
            column === 'time' ? (searching.order === 'asc' ? 'ascending' : 'descending') : undefined
          }
          onDragStart={(event) => {
            setDragged(column);
            event.dataTransfer.effectAllowed = 'move';
          }}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(column);
          }}
          onDragLeave={() => setOver(null)}
          onDragEnd={() => setOver(null)}
          onDrop={() => drop(column)}
        >
          {column === 'time' ? (
            <button
              type="button"
              className={styles.sort}
              title="Turn the order around (r)"
              onClick={() =>
                searching.change({ order: searching.order === 'asc' ? 'desc' : undefined })
              }
            >
              time ({zone})
              {searching.order === 'asc' ? <ArrowDown size={12} /> : <ArrowUp size={12} />}
            </button>
          ) : (
            <span className="clip">{column}</span>
          )}
          <Edge column={column} />
        </div>
      ))}
    </div>
  );
}

function Edge(props: { column: string }) {
  const start = (down: PointerEvent<HTMLElement>) => {
    down.preventDefault();
    down.stopPropagation();
    const element = down.currentTarget;
    element.setPointerCapture(down.pointerId);
    const from = element.parentElement?.offsetWidth ?? widthOf(props.column, preferences().widths);
    const move = (event: globalThis.PointerEvent) => {
      const width = Math.max(NARROWEST, Math.round(from + event.clientX - down.clientX));
      choose({ widths: { ...preferences().widths, [props.column]: width } });
    };
    const end = () => {
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', end);
      element.removeEventListener('pointercancel', end);
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', end);
    element.addEventListener('pointercancel', end);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: sizing is for the mouse; keys have the menu
    <span
      className={styles.edge}
      draggable
      onDragStart={(event) => {
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={start}
      onDoubleClick={() => {
        const { [props.column]: _, ...rest } = preferences().widths;
        choose({ widths: rest });
      }}
    />
  );
}
