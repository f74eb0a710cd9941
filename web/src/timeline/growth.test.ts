// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { type Base, baseOf, grown } from './growth';

const NONE: Base = { answered: 0, events: 0 };

it('counts what came in after a search was answered', () => {
  // The case was asked before the search: what it said then is not compared with.
  expect(baseOf(NONE, 100, 90, 53)).toBe(NONE);
  const base = baseOf(NONE, 100, 110, 53);
  expect(grown(base, 100, 53)).toBe(0);
  const later = baseOf(base, 100, 4110, 12_053);
  expect(later).toBe(base);
  expect(grown(later, 100, 12_053)).toBe(12_000);
});

it('is nothing while the search is not answered, or was answered with an error', () => {
  expect(grown(baseOf(NONE, 0, 110, 53), 0, 53)).toBe(0);
});

it('begins anew with the next answer', () => {
  const base = baseOf(NONE, 100, 110, 53);
  expect(grown(base, 5000, 12_053)).toBe(0);
  const next = baseOf(base, 5000, 5010, 12_053);
  expect(grown(next, 5000, 12_053)).toBe(0);
  expect(grown(next, 5000, 12_000)).toBe(0);
});
