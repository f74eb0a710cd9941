// SPDX-License-Identifier: Apache-2.0
import type { Histogram as Answer } from '../api/contract';
import { count, counted } from '../text/number';
import { isoOf } from '../text/time';
import type { Searching } from './search';
import styles from './timeline.module.css';

/** What the histogram has no bars for, and the way to it: nothing is left out in silence. */
export function Outliers(props: {
  searching: Searching;
  answer: Answer;
  /** The span that is drawn. */
  from: number;
  to: number;
}) {
  const { answer, from, to } = props;
  const { address, change, look } = props.searching;
  const { before, after } = answer;
  if (before + after === 0) {
    if (!address.outliers || address.from || address.to) return null;
    return (
      <button
        type="button"
        className={styles.plain}
        title="Draw the span that holds all but few events far away in time"
        onClick={() => look({ outliers: undefined })}
      >
        Without outliers
      </button>
    );
  }
  return (
    <span className={styles.outliers}>
      {before > 0 && (
        <button
          type="button"
          className={styles.plain}
          title="Search before the first bar"
          onClick={() => change({ to: isoOf(from - 1) })}
        >
          {counted(before, 'event')} before
        </button>
      )}
      {before > 0 && after > 0 && 'and '}
      {after > 0 && (
        <button
          type="button"
          className={styles.plain}
          title="Search after the last bar"
          onClick={() => change({ from: isoOf(to) })}
        >
          {before > 0 ? count(after) : counted(after, 'event')} after
        </button>
      )}
      {before + after === 1 ? 'is' : 'are'} not drawn:
      <button type="button" className={styles.plain} onClick={() => look({ outliers: 'drawn' })}>
        show all
      </button>
    </span>
  );
}
