// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { stacked } from './stack';

const answer = (series: Record<string, number[]>) => ({
  start: '2026-03-08T00:00:00Z',
  width_ms: 1000,
  buckets: [0, 1000],
  series,
  undated: 0,
  before: 0,
  after: 0,
  took_ms: 1,
  notes: [],
});

it('draws the whole stack first and the largest source last', () => {
  const stack = stacked(answer({ small: [1, 0], large: [5, 7] }));
  expect(stack.names).toEqual(['small', 'large']);
  expect(stack.sums).toEqual([
    [6, 7],
    [5, 7],
  ]);
  expect(stack.starts).toEqual([Date.UTC(2026, 2, 8), Date.UTC(2026, 2, 8) + 1000]);
});

it('loses no event when there are more sources than colours', () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`s${at}`, [at + 1, 1]]));
  const stack = stacked(answer(many));
  expect(stack.names[0]).toBe('other');
  expect(stack.sums[0]).toEqual([210, 20]);
});

it('is empty for an answer without events', () => {
  expect(stacked({ ...answer({}), buckets: [] }).starts).toEqual([]);
});
