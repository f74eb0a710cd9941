// SPDX-License-Identifier: Apache-2.0
import { millis, typed } from '../text/time';
import type { Address } from './address';

export interface Range {
  from: number;
  to: number;
}

/**
 * The range twice as long around what is looked at: the chosen range with everything that is drawn.
 * What was seen before is still in it, and a range in which nothing lies can be left the same way.
 */
export function widened(address: Address, drawn: Range | null, zone: string): Range | null {
  const from = address.from && millis(typed(address.from, zone) ?? address.from);
  const to = address.to && millis(typed(address.to, zone, true) ?? address.to) + 1;
  const begin = Math.min(
    from || (drawn?.from ?? Number.NaN),
    drawn?.from ?? Number.POSITIVE_INFINITY,
  );
  const end = Math.max(to || (drawn?.to ?? Number.NaN), drawn?.to ?? Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(begin) || !Number.isFinite(end)) return null;
  const more = Math.max(1, (end - begin) / 2);
  return { from: begin - more, to: end + more - 1 };
}
