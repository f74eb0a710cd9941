// SPDX-License-Identifier: Apache-2.0
import { Check, CircleCheck, CircleX, MessageSquare, Star, TriangleAlert } from 'lucide-react';
import { memo } from 'react';
import type { EventRow } from '../api/contract';
import { clock } from '../text/time';
import { Value } from '../text/Value';
import { shortened } from '../text/visible';
import { sourceColour } from '../theme/colours';
import { cellText, isMono } from './columns';
import styles from './timeline.module.css';

export const GridRow = memo(function GridRow(props: {
  index: number;
  row: EventRow | undefined;
  y: number;
  columns: string[];
  template: string;
  zone: string;
  /** Whether the time has room for all its digits. */
  wide: boolean;
  cursor: boolean;
  open: boolean;
  marked: boolean;
  pick: (index: number, how: { range: boolean; open: boolean }) => void;
  toggleMark: (index: number, range: boolean) => void;
  star: (index: number) => void;
}) {
  const { index, row } = props;
  const style = {
    transform: `translateY(${props.y}px)`,
    gridTemplateColumns: props.template,
    '--edge': row ? sourceColour(row.source) : 'transparent',
  } as React.CSSProperties;
  if (!row) {
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the timeline listens to keys for all rows
      <div
        className={styles.row}
        style={style}
        role="row"
        tabIndex={-1}
        id={`row-${index}`}
        aria-rowindex={index + 2}
        aria-busy
        data-cursor={props.cursor || undefined}
        onClick={(event) => props.pick(index, { range: false, open: !event.shiftKey })}
      >
        <span />
        {props.columns.map((column, at) => (
          <span key={column} className={styles.cell}>
            <i
              className={styles.cellBone}
              style={{ width: `${40 + ((index * 7 + at * 31) % 50)}%` }}
            />
          </span>
        ))}
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the timeline listens to keys for all rows
    <div
      className={styles.row}
      style={style}
      role="row"
      tabIndex={-1}
      id={`row-${index}`}
      aria-rowindex={index + 2}
      aria-selected={props.open || props.marked}
      data-cursor={props.cursor || undefined}
      data-open={props.open || undefined}
      data-marked={props.marked || undefined}
      onClick={(event) => {
        if (window.getSelection()?.toString()) return;
        props.pick(index, { range: event.shiftKey, open: !event.shiftKey });
      }}
    >
      <span className={styles.flags} role="gridcell" tabIndex={-1}>
        <button
          type="button"
          tabIndex={-1}
          className={styles.check}
          aria-label="Mark"
          aria-pressed={props.marked}
          onClick={(event) => {
            event.stopPropagation();
            props.toggleMark(index, event.shiftKey);
          }}
        >
          {props.marked && <Check size={11} strokeWidth={3} />}
        </button>
        <button
          type="button"
          tabIndex={-1}
          className={styles.star}
          aria-label="Star"
          aria-pressed={row.starred}
          onClick={(event) => {
            event.stopPropagation();
            props.star(index);
          }}
        >
          <Star size={13} fill={row.starred ? 'currentColor' : 'none'} />
        </button>
        <Outcome outcome={String(row.outcome ?? '')} problem={String(row.problem ?? '')} />
      </span>
      {props.columns.map((column) => (
        <span
          key={column}
          role="gridcell"
          tabIndex={-1}
          className={isMono(column) ? `${styles.cell} mono` : styles.cell}
        >
          <Cell row={row} column={column} zone={props.zone} wide={props.wide} />
        </span>
      ))}
    </div>
  );
});

function Outcome(props: { outcome: string; problem: string }) {
  if (props.problem) {
    return <TriangleAlert size={13} color="var(--warn)" aria-label={`Problem: ${props.problem}`} />;
  }
  if (/^fail|denied|error/i.test(props.outcome)) {
    return <CircleX size={13} color="var(--bad)" aria-label="Failure" />;
  }
  if (/^succ/i.test(props.outcome)) {
    return <CircleCheck size={13} color="var(--good)" aria-label="Success" />;
  }
  return <span style={{ width: 13 }} />;
}

function Cell(props: { row: EventRow; column: string; zone: string; wide: boolean }) {
  const { row, column } = props;
  if (column === 'time') {
    if (!row.time) return <span className="faint">no time</span>;
    const read = clock(row.time, props.zone);
    // Which of two equal times it is matters more than its milliseconds, where there is room for one.
    const digits = read.offset ? 0 : 3;
    const fraction = props.wide ? read.fraction : read.fraction.slice(0, digits);
    const offset = read.offset?.replace(/:00$/, '');
    return (
      <>
        <span className="faint">{read.date}</span> {read.time}
        {fraction && <span className="faint">.{fraction}</span>}
        {offset && <span className="faint"> {offset}</span>}
      </>
    );
  }
  if (column === 'message') {
    return (
      <>
        {row.tags.map((tag) => (
          <span key={tag} className={styles.tag}>
            <Value text={tag} limit={40} />
          </span>
        ))}
        {row.comments > 0 && (
          <span className={styles.commented}>
            <MessageSquare size={12} /> {row.comments}
          </span>
        )}
        {row.message === '' && row.problem ? (
          <span className="faint">
            Not read: <Value text={row.problem} limit={200} />
          </span>
        ) : (
          <Value text={cellText(row, column)} limit={400} />
        )}
      </>
    );
  }
  const text = cellText(row, column);
  if (column === 'source') {
    return (
      <span style={{ color: sourceColour(text), fontWeight: 500 }}>
        <Value text={text} limit={80} />
      </span>
    );
  }
  if (!text) return null;
  const brief = shortened(text);
  if (brief === text) return <Value text={text} limit={200} />;
  return (
    <span title={text}>
      <Value text={brief} limit={200} />
    </span>
  );
}
