// SPDX-License-Identifier: Apache-2.0
import type { EventRow } from '../api/contract';

const WIDTHS: Record<string, number> = {
  time: 188,
  time_meaning: 110,
  source: 116,
  provider: 80,
  account: 116,
  region: 110,
  host: 120,
  actor: 136,
  action: 124,
  outcome: 84,
  error: 130,
  resource: 150,
  src_ip: 122,
  dst_ip: 122,
  src_port: 76,
  dst_port: 76,
  message: 260,
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

/** Leaves columns out, the last but one first, until the rest fits; time and message always stay. */
export function fitting(
  columns: string[],
  chosen: Record<string, number>,
  width: number,
): string[] {
  let kept = columns;
  while (kept.length > 2 && leastWidth(kept, chosen) > width) {
    kept = [...kept.slice(0, -2), ...kept.slice(-1)];
  }
  return kept;
}

// Columns that say more when there is room, and how much of the room they take.
const GROWS: Record<string, number> = { message: 1, actor: 0.22, resource: 0.22, action: 0.1 };

/** From this width on there is room for all nine digits of a second. */
export const WIDE_TIME = 224;

const FLAGS = 58;

/** How wide the grid is at least; where the view is narrower, it scrolls sideways. */
export function leastWidth(columns: string[], chosen: Record<string, number>): number {
  return columns.reduce((sum, column) => sum + widthOf(column, chosen), FLAGS);
}

/** The grid's column template: mark and state first, the last column takes what is left. */
export function template(columns: string[], chosen: Record<string, number>): string {
  const tracks = columns.map((column, at) => {
    const width = widthOf(column, chosen);
    const grows = at === columns.length - 1 ? 1 : column in chosen ? 0 : GROWS[column];
    return grows ? `minmax(${width}px, ${grows}fr)` : `${width}px`;
  });
  return `${FLAGS}px ${tracks.join(' ')}`;
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
