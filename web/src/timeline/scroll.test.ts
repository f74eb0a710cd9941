// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  clampTop,
  furthest,
  isMapped,
  revealing,
  scrollOf,
  shown,
  TALLEST,
  topOf,
  trackHeight,
} from './scroll';

const small = { rows: 1000, rowHeight: 24, view: 600 };
const huge = { rows: 100_000_000, rowHeight: 24, view: 600 };

describe('the scrollbar', () => {
  it('is the rows themselves while they fit', () => {
    expect(isMapped(small)).toBe(false);
    expect(topOf(480, small)).toBe(480);
    expect(scrollOf(480, small)).toBe(480);
  });
  it('is a map when there are millions, and reaches both ends', () => {
    expect(isMapped(huge)).toBe(true);
    expect(trackHeight(huge)).toBe(TALLEST);
    expect(topOf(0, huge)).toBe(0);
    expect(topOf(TALLEST - huge.view, huge)).toBe(furthest(huge));
    expect(scrollOf(furthest(huge), huge)).toBe(TALLEST - huge.view);
  });
  it('comes back to the same place within one pixel of the bar', () => {
    const pixel = furthest(huge) / (TALLEST - huge.view);
    for (const top of [1, 12345, 987_654_321, 2_399_000_000]) {
      expect(Math.abs(topOf(scrollOf(top, huge), huge) - top)).toBeLessThanOrEqual(pixel);
    }
  });
});

describe('what is shown', () => {
  it('covers the view and stays inside the rows', () => {
    expect(shown(0, small, 0)).toEqual({ first: 0, last: 25 });
    const end = shown(furthest(huge), huge);
    expect(end.last).toBe(huge.rows);
    expect(shown(0, { ...small, rows: 0 })).toEqual({ first: 0, last: 0 });
  });
  it('reveals a row with the least movement', () => {
    expect(revealing(5, 0, small)).toBe(0);
    expect(revealing(25, 0, small)).toBe(24);
    expect(revealing(2, 480, small)).toBe(48);
    expect(revealing(999, 0, small)).toBe(furthest(small));
  });
  it('never leaves the rows', () => {
    expect(clampTop(-5, small)).toBe(0);
    expect(clampTop(1e12, small)).toBe(furthest(small));
  });
});
