// SPDX-License-Identifier: Apache-2.0
import type { EventRow } from '../api/contract';

const WIDTHS: Record<string, number> = {
  time: 204,
  time_meaning: 110,
  source: 128,
  provider: 80,
  account: 116,
  region: 110,
  host: 120,
  actor: 190,
  action: 160,
  outcome: 84,
  error: 130,
  resource: 200,
  src_ip: 124,
  dst_ip: 124,
  src_port: 76,
  dst_port: 76,
  message: 480,
  tags: 130,
  id: 250,
};

export const NARROWEST = 56;

export function widthOf(column: string, chosen: Record<string, number>): number {
  return Math.max(NARROWEST, chosen[column] ?? WIDTHS[column] ?? 150);
}

/** Columns whose values are compared by eye, letter under letter. */
export function isMono(column: string): boolean {
  return /^(time|src_ip|dst_ip|src_port|dst_port|id|hash|evidence|session|account|locator)$/.test(
    column,
  );
}

/** The grid's column template: mark and state first, the last column takes what is left. */
export function template(columns: string[], chosen: Record<string, number>): string {
  const tracks = columns.map((column, at) => {
    const width = widthOf(column, chosen);
    return at === columns.length - 1 ? `minmax(${width}px, 1fr)` : `${width}px`;
  });
  return `58px ${tracks.join(' ')}`;
}

export function moved(columns: string[], column: string, before: string): string[] {
  if (column === before) return columns;
  const rest = columns.filter((each) => each !== column);
  const at = rest.indexOf(before);
  const place = columns.indexOf(column) < columns.indexOf(before) ? at + 1 : at;
  return [...rest.slice(0, place), column, ...rest.slice(place)];
}

export function cellText(row: EventRow, column: string): string {
  const value = row[column];
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.join(', ');
  if (value === 0 && column.endsWith('_port')) return '';
  return String(value);
}
