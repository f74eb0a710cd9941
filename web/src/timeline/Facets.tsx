// SPDX-License-Identifier: Apache-2.0
import { useQueries, useQuery } from '@tanstack/react-query';
import { Ban, Check, ChevronDown, ChevronRight, Star, Tag } from 'lucide-react';
import { memo, useEffect, useRef, useState } from 'react';
import type { Facet, Field } from '../api/contract';
import {
  type Asked,
  facets as facetsQuery,
  fields as fieldsQuery,
  tags as tagsQuery,
} from '../api/queries';
import { Bone } from '../shell/States';
import { brief, count } from '../text/number';
import { Name, Value } from '../text/Value';
import { shortened } from '../text/visible';
import { sourceColour } from '../theme/colours';
import { choose, usePreferences } from '../theme/preferences';
import { combined, type Filter, sameFilter } from './language';
import type { Searching } from './search';
import styles from './timeline.module.css';

const SIZE = 8;
const MORE = 50;

/**
 * Counts for the open fields. A field with an included value is counted without its own filter, so
 * that the other values stay there to be chosen as well. What was counted last stays until it is
 * counted anew: a list that goes and comes back moves all below it under the hand that clicks.
 */
function useFacets(searching: Searching, open: string[], long: Set<string>) {
  const { name, filters, address } = searching;
  const last = useRef<{ name: string; facets: Record<string, Facet | undefined> }>({
    name,
    facets: {},
  });
  const alone = open.filter(
    (field) => long.has(field) || filters.some((each) => each.field === field && !each.not),
  );
  const together = open.filter((field) => !alone.includes(field));
  const without = (field: string): Asked => ({
    q: combined(
      address.q ?? '',
      filters.filter((each) => each.not || each.field !== field),
    ),
    from: address.from,
    to: address.to,
    zone: searching.asked.zone,
  });
  const shared = useQuery({
    ...facetsQuery(name, searching.asked, together, SIZE),
    enabled: together.length > 0,
  });
  const own = useQueries({
    queries: alone.map((field) =>
      facetsQuery(name, without(field), [field], long.has(field) ? MORE : SIZE),
    ),
  });
  const found: Record<string, Facet | undefined> = { ...shared.data };
  const failed = new Set<string>();
  for (const [at, field] of alone.entries()) {
    found[field] = own[at]?.data?.[field];
    if (own[at]?.isError) failed.add(field);
  }
  if (shared.isError) for (const field of together) failed.add(field);
  const before = last.current.name === name ? last.current.facets : {};
  let stale = shared.isPlaceholderData || own.some((each) => each.isPlaceholderData);
  for (const field of open) {
    if (found[field] || failed.has(field) || !before[field]) continue;
    found[field] = before[field];
    stale = true;
  }
  useEffect(() => {
    last.current = { name, facets: found };
  });
  return { found, failed, stale };
}

export function Facets(props: { searching: Searching }) {
  const { searching } = props;
  const { folded } = usePreferences();
  const [long, setLong] = useState<Set<string>>(new Set());
  const known = useQuery(fieldsQuery());
  const all = (known.data ?? []).filter((field) => field.facet);
  const open = all.filter((field) => !folded.includes(field.name)).map((field) => field.name);
  const { found, failed, stale } = useFacets(searching, open, long);
  return (
    <aside className={styles.facets} aria-label="Facets" data-stale={stale || undefined}>
      <h2 className="hidden-word">Facets</h2>
      <Marked searching={searching} />
      {known.isPending && <Bones />}
      {all.map((field) => (
        <OneFacet
          key={field.name}
          field={field}
          folded={folded.includes(field.name)}
          facet={found[field.name]}
          failed={failed.has(field.name)}
          long={long.has(field.name)}
          more={() => setLong((now) => new Set(now).add(field.name))}
          filters={searching.filters}
          filter={searching.filter}
        />
      ))}
      <p className={styles.facetHint}>Click includes · Alt-click excludes</p>
    </aside>
  );
}

function Bones() {
  return (
    <div style={{ display: 'grid', gap: 10, padding: '6px 12px' }}>
      {Array.from({ length: 14 }, (_, at) => (
        <Bone key={at} width={`${90 - ((at * 13) % 35)}%`} />
      ))}
    </div>
  );
}

function Marked(props: { searching: Searching }) {
  const { name, filters, filter } = props.searching;
  const tags = useQuery(tagsQuery(name));
  const starred: Filter = { field: 'starred', value: 'true', not: false };
  const on = filters.some((each) => sameFilter(each, starred) && !each.not);
  return (
    <section className={styles.facet}>
      <h3 className={styles.facetHead}>
        <span style={{ paddingLeft: 18 }}>marked</span>
      </h3>
      <div className={styles.facetValue}>
        <button
          type="button"
          aria-pressed={on}
          onClick={(event) => filter({ ...starred, not: event.altKey })}
        >
          <Star size={12} style={{ color: 'var(--star)' }} fill={on ? 'currentColor' : 'none'} />
          <span className="clip">starred</span>
        </button>
      </div>
      {(tags.data ?? []).slice(0, 12).map((each) => {
        const mine: Filter = { field: 'tag', value: each.tag, not: false };
        const known = filters.find((one) => sameFilter(one, mine));
        return (
          <div className={styles.facetValue} key={each.tag} data-not={known?.not || undefined}>
            <button
              type="button"
              aria-pressed={known ? !known.not : false}
              onClick={(event) => filter({ ...mine, not: event.altKey })}
            >
              <Tag size={12} style={{ color: 'var(--faint)' }} />
              <span className="clip">
                <Value text={each.tag} limit={80} />
              </span>
              <span className="number faint">{brief(each.count)}</span>
            </button>
          </div>
        );
      })}
    </section>
  );
}

const OneFacet = memo(function OneFacet(props: {
  field: Field;
  folded: boolean;
  facet: Facet | undefined;
  failed: boolean;
  long: boolean;
  more: () => void;
  filters: Filter[];
  filter: (filter: Filter) => void;
}) {
  const { field, folded, facet, filters } = props;
  const { folded: all } = usePreferences();
  const mine = filters.filter((each) => each.field === field.name);
  const fold = () =>
    choose({
      folded: folded ? all.filter((each) => each !== field.name) : [...all, field.name],
    });
  // A value that is filtered by stays in sight, also when nothing is counted for it.
  const listed = facet?.values ?? [];
  const missing = mine
    .filter((each) => each.value !== null && !listed.some((one) => one.value === each.value))
    .map((each) => ({ value: each.value ?? '', count: 0 }));
  const values = [...listed, ...missing];
  const most = Math.max(1, ...listed.map((each) => each.count), facet?.empty ?? 0);
  if (facet && values.length === 0 && mine.length === 0 && !folded) return null;
  return (
    <section className={styles.facet}>
      <h3>
        <button
          type="button"
          className={styles.facetHead}
          aria-expanded={!folded}
          onClick={fold}
          title={field.title}
        >
          {folded ? <ChevronRight size={14} /> : <ChevronDown size={14} />}
          <span>{field.name}</span>
          {mine.length > 0 && <span className={styles.facetCount}>{mine.length}</span>}
        </button>
      </h3>
      {!folded && !facet && !props.failed && (
        <div style={{ display: 'grid', gap: 9, padding: '4px 12px 8px 28px' }}>
          <Bone width="80%" />
          <Bone width="62%" />
          <Bone width="70%" />
        </div>
      )}
      {!folded && props.failed && !facet && <p className={styles.facetHint}>Not counted</p>}
      {!folded &&
        facet &&
        values.map((each) => (
          <FacetLine
            key={each.value}
            field={field.name}
            value={each.value}
            count={each.count}
            share={each.count / most}
            known={mine.find((one) => one.value === each.value)}
            filter={props.filter}
          />
        ))}
      {!folded && facet && facet.empty > 0 && (
        <FacetLine
          field={field.name}
          value={null}
          count={facet.empty}
          share={facet.empty / most}
          known={mine.find((one) => one.value === null)}
          filter={props.filter}
        />
      )}
      {!folded && facet && facet.other > 0 && (
        <button
          type="button"
          className={styles.facetMore}
          onClick={props.more}
          disabled={props.long}
        >
          {props.long ? '' : 'more · '}
          {brief(facet.other)} others
        </button>
      )}
    </section>
  );
});

function FacetLine(props: {
  field: string;
  value: string | null;
  count: number;
  share: number;
  known: Filter | undefined;
  filter: (filter: Filter) => void;
}) {
  const { field, value, known } = props;
  const told = value === null ? 'is empty' : value;
  const colour = field === 'source' && value ? sourceColour(value) : 'var(--accent)';
  return (
    <div className={styles.facetValue} data-not={known?.not || undefined}>
      <i
        className={styles.facetBar}
        style={{ width: `${Math.max(1, props.share * 100)}%`, background: colour }}
      />
      <button
        type="button"
        aria-pressed={known ? !known.not : false}
        title={`${told} — ${count(props.count)} events`}
        onClick={(event) => props.filter({ field, value, not: event.altKey })}
      >
        {known ? (
          known.not ? (
            <Ban size={12} />
          ) : (
            <Check size={12} />
          )
        ) : (
          field === 'source' && <i className={styles.facetDot} style={{ background: colour }} />
        )}
        <span className={value === null ? 'clip faint' : 'clip'}>
          {value === null ? 'is empty' : <Name text={shortened(value)} tail={9} />}
        </span>
        <span className="number faint">{brief(props.count)}</span>
      </button>
      <button
        type="button"
        className={styles.facetExclude}
        aria-label={`Exclude ${told}`}
        title="Exclude"
        onClick={() => props.filter({ field, value, not: true })}
      >
        <Ban size={12} />
      </button>
    </div>
  );
}
