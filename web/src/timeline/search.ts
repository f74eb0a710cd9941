// SPDX-License-Identifier: Apache-2.0
// What is searched for, read from the address, and the ways to change it.
import { useNavigate, useParams, useRouter, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { EventRow } from '../api/contract';
import { type Asked, client, eventCount } from '../api/queries';
import { isoOf, millis } from '../text/time';
import { preferences, usePreferences } from '../theme/preferences';
import { type Address, readAddress } from './address';
import { combined, decodeFilter, encodeFilter, type Filter, toggled } from './language';

export interface Searching {
  name: string;
  address: Address;
  filters: Filter[];
  asked: Asked;
  order: 'asc' | 'desc';
  columns: string[];
  /** Changes the search; the drawer and the place in the list are left, history keeps the old. */
  change: (change: Partial<Address>) => void;
  /** Changes what is looked at, not what is searched: no step in the history. */
  look: (change: Partial<Address>) => void;
  /** The address as it is by now, which what is on the screen may be a moment behind of. */
  now: () => Address;
  filter: (filter: Filter) => void;
  setFilters: (next: (filters: Filter[]) => Filter[]) => void;
  /** Asks something else about an event; the list then stands where the event is in the answer. */
  pivot: (about: EventRow, filters: Filter[], minutes?: number) => void;
}

/** Which pivot was asked last: an answer to an earlier one is not wanted any more. */
let asking = 0;

function decoded(f: string[] | undefined): Filter[] {
  return (f ?? []).map(decodeFilter).filter((each): each is Filter => each !== null);
}

function encoded(filters: Filter[]): string[] | undefined {
  return filters.length > 0 ? filters.map(encodeFilter) : undefined;
}

export function useSearching(): Searching {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const address = useSearch({ from: '/inside/cases/$case/timeline' });
  const router = useRouter();
  const navigate = useNavigate({ from: '/cases/$case/timeline' });
  const chosen = usePreferences();
  const { q, f, from, to, order, columns } = address;
  const zone = address.zone ?? chosen.zone;
  const filters = useMemo(() => decoded(f), [f]);
  const asked = useMemo(
    () => ({
      q: combined(q ?? '', filters),
      from,
      to,
      zone: zone === 'UTC' ? undefined : zone,
    }),
    [q, filters, from, to, zone],
  );
  return useMemo(() => {
    const change = (what: Partial<Address>) =>
      void navigate({ search: (now) => ({ ...now, event: undefined, row: undefined, ...what }) });
    const look = (what: Partial<Address>) =>
      void navigate({ search: (now) => ({ ...now, ...what }), replace: true });
    const now = () => readAddress(router.latestLocation.search as Record<string, unknown>);
    // Two clicks may come before the first has changed the page: each starts from the other.
    const setFilters = (next: (filters: Filter[]) => Filter[]) =>
      change({ f: encoded(next(decoded(now().f))) });
    return {
      name,
      address,
      filters,
      asked,
      order: order ?? 'asc',
      columns: columns ?? chosen.columns,
      change,
      look,
      now,
      filter: (filter) => setFilters((known) => toggled(known, filter)),
      setFilters,
      pivot: async (about, next, minutes) => {
        const middle = minutes && about.time ? millis(about.time) : null;
        const reach = (minutes ?? 0) * 60_000;
        const range = {
          from: middle === null ? undefined : isoOf(middle - reach),
          to: middle === null ? undefined : isoOf(middle + reach),
        };
        const q = combined('', next);
        const mine = ++asking;
        const here = router.latestLocation.href;
        const row = await rowIn(name, { ...asked, q, ...range }, order ?? 'asc', about);
        // What was asked or opened meanwhile is newer than this.
        if (mine !== asking || router.latestLocation.href !== here) return;
        void navigate({
          search: (now) => ({
            columns: now.columns,
            order: now.order,
            zone: now.zone,
            event: now.event,
            f: encoded(next),
            ...range,
            row,
          }),
        });
      },
    };
  }, [name, address, filters, asked, order, columns, chosen.columns, navigate, router]);
}

/** Where an event stands in a search that holds it, among those of its moment the first. */
async function rowIn(
  name: string,
  asked: Asked,
  order: string,
  about: EventRow,
): Promise<number | undefined> {
  if (!about.time_ns) return undefined;
  const moment = BigInt(about.time_ns);
  const before = order === 'asc' ? { to: String(moment - 1n) } : { from: String(moment + 1n) };
  try {
    const [earlier, all] = await Promise.all([
      client.fetchQuery(eventCount(name, { ...asked, ...before })),
      client.fetchQuery(eventCount(name, asked)),
    ]);
    return earlier.count + (order === 'asc' ? all.undated : 0) + 1;
  } catch {
    return undefined; // what is wrong with the search is said where its rows would stand
  }
}

/** Columns that are looked at are remembered for the person, and named in the address for others. */
export function columnsChange(columns: string[]): Partial<Address> {
  const same = columns.join() === preferences().columns.join();
  return { columns: same ? undefined : columns };
}
