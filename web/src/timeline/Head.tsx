// SPDX-License-Identifier: Apache-2.0
import { ChevronsLeft, ChevronsRight } from 'lucide-react';
import type { Histogram as Answer } from '../api/contract';
import { count, counted } from '../text/number';
import { ends, isoOf, span } from '../text/time';
import { choose, usePreferences } from '../theme/preferences';
import type { Growth } from './growth';
import { rangeOf } from './Histogram';
import { Outliers } from './Outliers';
import type { Searching } from './search';
import styles from './timeline.module.css';
import { widened } from './zoom';

/** What the rows that are shown have told. */
export interface Told {
  error: unknown;
  notes: string[];
  took: number | null;
}

/** One line that says what is seen: how many, from when to when, in which zone, how fast. */
export function Head(props: {
  searching: Searching;
  total: number;
  undated: number;
  known: boolean;
  told: Told;
  /** What the count has to say, which is more than a page of rows knows. */
  counted: string[];
  answer: Answer | null;
  growth: Growth;
}) {
  const { searching, total, known, told, answer } = props;
  const { zone, facetsOpen } = usePreferences();
  const { address, change } = searching;
  const range = rangeOf(answer);
  const narrowed = Boolean(address.from || address.to);
  const wider = () => {
    const next = widened(address, range, zone);
    if (next) change({ from: isoOf(next.from), to: isoOf(next.to) });
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
          {ends(range.from, range.to, zone).join(' – ')} {zone} · bars of {span(answer.width_ms)}
        </span>
      )}
      {range && answer && (
        <Outliers searching={searching} answer={answer} from={range.from} to={range.to} />
      )}
      {props.undated > 0 && (
        <span className="muted number">{count(props.undated)} without a time</span>
      )}
      {props.growth.more > 0 && (
        <button type="button" className={styles.plain} onClick={props.growth.show}>
          {counted(props.growth.more, 'event')} more in the case: show
        </button>
      )}
      {[...new Set([...props.counted, ...told.notes])].map((note) => (
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
