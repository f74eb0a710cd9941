// SPDX-License-Identifier: Apache-2.0
import type { Histogram } from '../api/contract';
import { millis } from '../text/time';

export interface Stack {
  /** Start of each bar, milliseconds since 1970. */
  starts: number[];
  /** Width of a bar in milliseconds. */
  width: number;
  /** Sources in the order of drawing: the one whose sum is the whole stack comes first. */
  names: string[];
  values: number[][];
  /** `sums[k]` is what series k and all after it add up to, so that later ones draw over it. */
  sums: number[][];
}

const MOST = 8;

/** Makes a stack of the histogram: the largest source at the bottom, small ones joined as "other". */
export function stacked(answer: Histogram): Stack {
  const width = answer.width_ms;
  const first = answer.start ? millis(answer.start) : 0;
  const length = answer.start ? answer.buckets.length : 0;
  const starts = Array.from({ length }, (_, at) => first + at * width);
  const total = (list: number[]) => list.reduce((sum, each) => sum + each, 0);
  const all = Object.entries(answer.series)
    .map(([name, values]) => ({ name: name || 'other', values, total: total(values) }))
    .filter((each) => each.total > 0)
    .sort((a, b) => a.total - b.total || a.name.localeCompare(b.name));
  const few = all.slice(-MOST);
  const rest = all.slice(0, -MOST);
  if (rest.length > 0) {
    const values = starts.map((_, at) => total(rest.map((each) => each.values[at] ?? 0)));
    few.unshift({ name: 'other', values, total: total(values) });
  }
  const sums = few.map((_, at) =>
    starts.map((__, bar) => total(few.slice(at).map((each) => each.values[bar] ?? 0))),
  );
  return {
    starts,
    width,
    names: few.map((each) => each.name),
    values: few.map((each) => each.values),
    sums,
  };
}
