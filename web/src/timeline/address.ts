// SPDX-License-Identifier: Apache-2.0
// The address of the timeline: everything that a colleague needs to see the same thing.

export interface Address {
  /** The query as typed. */
  q?: string;
  /** Filters that were clicked, each as `+field:value` or `-field:value`. */
  f?: string[];
  /** The range, ISO in UTC; both ends are included with all that they name. */
  from?: string;
  to?: string;
  order?: 'desc';
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
    order: search.order === 'desc' ? 'desc' : undefined,
    columns: texts(search.columns),
    event: text(search.event),
    row: Number.isSafeInteger(row) && row > 0 ? row : undefined,
  };
}
