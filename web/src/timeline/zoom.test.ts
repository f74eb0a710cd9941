// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ends, isoOf } from '../text/time';
import { landed } from './address';
import { widened } from './zoom';

const at = (text: string) => Date.parse(text);
const shown = (range: { from: number; to: number } | null) =>
  range && [isoOf(range.from), isoOf(range.to)];

describe('zooming out', () => {
  const chosen = { from: '2023-07-10T11:58:25.000Z', to: '2023-07-10T11:58:29.999Z' };
  it('holds all that was chosen, however little of it is drawn', () => {
    const drawn = { from: at('2023-07-10T11:58:25Z'), to: at('2023-07-10T11:58:28Z') };
    expect(shown(widened(chosen, drawn, 'UTC'))).toEqual([
      '2023-07-10T11:58:22.500Z',
      '2023-07-10T11:58:32.499Z',
    ]);
  });
  it('leaves a range in which nothing lies', () => {
    expect(shown(widened(chosen, null, 'UTC'))?.[1]).toBe('2023-07-10T11:58:32.499Z');
  });
  it('takes a date as its whole day in the zone that is shown', () => {
    const day = { from: '2023-07-10', to: '2023-07-10' };
    expect(shown(widened(day, null, 'Asia/Tokyo'))).toEqual([
      '2023-07-09T03:00:00.499Z',
      '2023-07-11T02:59:58.500Z',
    ]);
  });
  it('needs the other end to be drawn when it is open', () => {
    expect(widened({ from: chosen.from }, null, 'UTC')).toBeNull();
    const drawn = { from: at('2023-07-10T11:58:26Z'), to: at('2023-07-10T11:58:27Z') };
    expect(shown(widened({ from: chosen.from }, drawn, 'UTC'))?.[0]).toBe(
      '2023-07-10T11:58:24.000Z',
    );
  });
});

describe('the ends of a range', () => {
  const from = at('2023-07-10T12:02:55Z');
  it('are told apart, however near they are', () => {
    expect(ends(from, from + 2_000, 'UTC')).toEqual([
      '2023-07-10 12:02:55.000',
      '2023-07-10 12:02:57.000',
    ]);
    expect(ends(from, from + 90_000, 'UTC')[1]).toBe('2023-07-10 12:04:25');
    expect(ends(from, from + 3_600_000, 'UTC')[1]).toBe('2023-07-10 13:02');
  });
});

describe('a link without a zone', () => {
  const opened = 'http://host/cases/c/timeline?q=time%3A2023-07-10';
  it('means UTC where it was opened, and nothing for what is looked at later', () => {
    expect(landed(opened, '/cases/c/timeline', 'time:2023-07-10')).toBe(true);
    expect(landed(opened, '/cases/c/timeline', 'alice')).toBe(false);
    expect(landed(opened, '/cases/d/timeline', 'time:2023-07-10')).toBe(false);
    expect(landed(`${opened}&zone=Asia/Tokyo`, '/cases/c/timeline', 'time:2023-07-10')).toBe(false);
    expect(landed('', '/cases/c/timeline', undefined)).toBe(false);
  });
});
