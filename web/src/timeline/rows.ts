// SPDX-License-Identifier: Apache-2.0
// Rows by their number, fetched in windows around what is seen. Windows that are scrolled past
// before their answer comes are cancelled, because nobody looks at them any more.
import { useQueries } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { EventPage, EventRow } from '../api/contract';
import { type Asked, client, eventWindow, WINDOW } from '../api/queries';

export interface Rows {
  row: (index: number) => EventRow | undefined;
  /** Rows of the search before this one are shown until the first answer is here. */
  stale: boolean;
  error: unknown;
  again: () => void;
  notes: string[];
  took: number | null;
  /** Whether nothing is known yet at all. */
  pending: boolean;
}

/** The rows from one number to another, both included, also those that nobody has looked at. */
export async function rowsBetween(
  name: string,
  asked: Asked,
  order: string,
  first: number,
  last: number,
): Promise<EventRow[]> {
  const found: EventRow[] = [];
  for (let index = Math.floor(first / WINDOW); index * WINDOW <= last; index += 1) {
    const page = await client.fetchQuery({
      ...eventWindow(name, asked, order, index),
      staleTime: 60_000,
    });
    const begin = index * WINDOW;
    found.push(...page.events.slice(Math.max(0, first - begin), last - begin + 1));
  }
  return found;
}

/** Follows small steps at once and long jumps only when they have come to rest. */
function useSettled(first: number, last: number): [number, number] {
  const [settled, setSettled] = useState<[number, number]>([first, last]);
  const near = Math.abs(first - settled[0]) <= 2;
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled([first, last]), near ? 0 : 90);
    return () => window.clearTimeout(timer);
  }, [first, last, near]);
  return settled;
}

export function useRows(
  name: string,
  asked: Asked,
  order: string,
  seen: { first: number; last: number },
): Rows {
  const key = JSON.stringify([name, asked, order]);
  const kept = useRef<{ key: string; pages: Map<number, EventPage> }>({ key, pages: new Map() });
  const firstWindow = Math.floor(seen.first / WINDOW);
  const lastWindow = Math.max(firstWindow, Math.floor(Math.max(0, seen.last - 1) / WINDOW));
  const [from, to] = useSettled(firstWindow, lastWindow);
  const indices = Array.from({ length: Math.min(to - from + 1, 4) }, (_, at) => from + at);
  const found = useQueries({
    queries: indices.map((index) => eventWindow(name, asked, order, index)),
  });
  const pages = new Map<number, EventPage>();
  for (const [at, query] of found.entries()) {
    const index = indices[at];
    if (query.data && index !== undefined) pages.set(index, query.data);
  }
  const pending = found.some((query) => query.isPending);
  const failed = found.find((query) => query.isError && !query.data);
  const stale = kept.current.key !== key && pages.size === 0 && pending;

  useEffect(() => {
    if (pages.size > 0) kept.current = { key, pages };
  });

  const source = stale ? kept.current.pages : pages;
  const notes = [...new Set(found.flatMap((query) => query.data?.notes ?? []))];
  return {
    row: (index) => source.get(Math.floor(index / WINDOW))?.events[index % WINDOW],
    stale,
    error: failed?.error ?? null,
    again: () => {
      for (const query of found) if (query.isError) void query.refetch();
    },
    notes,
    took: found[0]?.data?.took_ms ?? null,
    pending: pending && source.size === 0,
  };
}
