// SPDX-License-Identifier: Apache-2.0
import { CalendarRange, X } from 'lucide-react';
import { told, typed } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { sameFilter } from './language';
import type { Searching } from './search';
import styles from './timeline.module.css';

/** The clicked part of the search: each chip can be turned into its opposite or taken away. */
export function Chips(props: { searching: Searching }) {
  const { filters, address, setFilters, change } = props.searching;
  const { zone } = usePreferences();
  const end = address.to && (typed(address.to, zone, true) ?? address.to);
  if (filters.length === 0 && !address.from && !address.to) return null;
  return (
    <div className={styles.chips}>
      {(address.from || address.to) && (
        <span className={styles.chip}>
          <CalendarRange size={13} style={{ marginLeft: 7 }} />
          <span className={styles.chipBody}>
            {address.from && address.to
              ? `${told(address.from, zone).replace(/ \S+$/, '')} to ${told(end, zone)}`
              : address.from
                ? `from ${told(address.from, zone)}`
                : `until ${told(end, zone)}`}
          </span>
          <button
            type="button"
            aria-label="Take the range away"
            onClick={() => change({ from: undefined, to: undefined })}
          >
            <X size={12} />
          </button>
        </span>
      )}
      {filters.map((filter) => (
        <span
          key={`${filter.field}:${filter.value}`}
          className={styles.chip}
          data-not={filter.not || undefined}
        >
          <button
            type="button"
            className={styles.chipBody}
            title="Turn into its opposite"
            onClick={() =>
              setFilters((known) =>
                known.map((each) =>
                  sameFilter(each, filter) ? { ...each, not: !each.not } : each,
                ),
              )
            }
          >
            <span className={styles.chipField}>
              <Value text={filter.field} limit={60} />
            </span>{' '}
            <span className={styles.chipIs}>{filter.not ? 'is not' : 'is'}</span>{' '}
            {filter.value === null ? <em>empty</em> : <Value text={filter.value} limit={60} />}
          </button>
          <button
            type="button"
            aria-label={`Take the filter on ${filter.field} away`}
            onClick={() => setFilters((known) => known.filter((each) => !sameFilter(each, filter)))}
          >
            <X size={12} />
          </button>
        </span>
      ))}
      {filters.length > 1 && (
        <button type="button" className={styles.chipClear} onClick={() => setFilters(() => [])}>
          Clear all
        </button>
      )}
    </div>
  );
}
