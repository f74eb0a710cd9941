// SPDX-License-Identifier: Apache-2.0
// What is searched for, read from the address, and the ways to change it.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Asked } from '../api/queries';
import { isoOf, millis } from '../text/time';
import { preferences, usePreferences } from '../theme/preferences';
import type { Address } from './address';
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
  filter: (filter: Filter) => void;
  setFilters: (filters: Filter[]) => void;
  pivot: (filters: Filter[], around?: { time: string; minutes: number }) => void;
}

export function useSearching(): Searching {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const address = useSearch({ from: '/inside/cases/$case/timeline' });
  const navigate = useNavigate({ from: '/cases/$case/timeline' });
  const chosen = usePreferences();
  const { q, f, from, to, order, columns } = address;
  const filters = useMemo(
    () => (f ?? []).map(decodeFilter).filter((each): each is Filter => each !== null),
    [f],
  );
  const asked = useMemo(
    () => ({
      q: combined(q ?? '', filters),
      from,
      to,
      zone: chosen.zone === 'UTC' ? undefined : chosen.zone,
    }),
    [q, filters, from, to, chosen.zone],
  );
  return useMemo(() => {
    const change = (what: Partial<Address>) =>
      void navigate({ search: (now) => ({ ...now, event: undefined, row: undefined, ...what }) });
    const look = (what: Partial<Address>) =>
      void navigate({ search: (now) => ({ ...now, ...what }), replace: true });
    const setFilters = (next: Filter[]) =>
      change({ f: next.length > 0 ? next.map(encodeFilter) : undefined });
    return {
      name,
      address,
      filters,
      asked,
      order: order ?? 'asc',
      columns: columns ?? chosen.columns,
      change,
      look,
      filter: (filter) => setFilters(toggled(filters, filter)),
      setFilters,
      pivot: (next, around) => {
        const middle = around ? millis(around.time) : 0;
        const reach = (around?.minutes ?? 0) * 60_000;
        void navigate({
          search: (now) => ({
            columns: now.columns,
            order: now.order,
            event: now.event,
            f: next.length > 0 ? next.map(encodeFilter) : undefined,
            from: around ? isoOf(middle - reach) : undefined,
            to: around ? isoOf(middle + reach + 1) : undefined,
          }),
        });
      },
    };
  }, [name, address, filters, asked, order, columns, chosen.columns, navigate]);
}

/** Columns that are looked at are remembered for the person, and named in the address for others. */
export function columnsChange(columns: string[]): Partial<Address> {
  const same = columns.join() === preferences().columns.join();
  return { columns: same ? undefined : columns };
}
