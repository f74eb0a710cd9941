// SPDX-License-Identifier: Apache-2.0
// The address of the timeline: everything that a colleague needs to see the same thing.

import { isZone } from '../text/time';

export interface Address {
  /** The query as typed. */
  q?: string;
  /** Filters that were clicked, each as `+field:value` or `-field:value`. */
  f?: string[];
  /** The range, ISO in UTC; both ends are included with all that they name. */
  from?: string;
  to?: string;
  /** The zone that times in the query are meant in, and shown in; without it, the reader's own. */
  zone?: string;
  order?: 'desc';
  /** Whether the histogram has bars for few events far away in time too. */
  outliers?: 'drawn';
  columns?: string[];
  /** The event in the drawer, and the row it was on. */
  event?: string;
  row?: number;
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function texts(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const kept = value.filter((each): each is string => typeof each === 'string').slice(0, 100);
  return kept.length > 0 ? kept : undefined;
}

function moment(value: unknown): string | undefined {
  const given = text(value);
  return given && !Number.isNaN(Date.parse(given)) ? given : undefined;
}

/** Reads the address. What makes no sense is left out: links are typed, cut and pasted. */
export function readAddress(search: Record<string, unknown>): Address {
  const row = Number(search.row);
  return {
    q: text(search.q),
    f: texts(search.f),
    from: moment(search.from),
    to: moment(search.to),
    zone: isZone(search.zone) ? search.zone : undefined,
    order: search.order === 'desc' ? 'desc' : undefined,
    outliers: search.outliers === 'drawn' ? 'drawn' : undefined,
    columns: texts(search.columns),
    event: text(search.event),
    row: Number.isSafeInteger(row) && row > 0 ? row : undefined,
  };
}

/**
 * Whether the browser was opened with this search and without a zone: somebody whose times are in
 * UTC sent it, because others have theirs in the address.
 */
export function landed(opened: string, here: string, q: string | undefined): boolean {
  if (!q || !URL.canParse(opened)) return false;
  const { pathname, searchParams } = new URL(opened);
  return pathname === here && !searchParams.has('zone') && searchParams.get('q') === q;
}
