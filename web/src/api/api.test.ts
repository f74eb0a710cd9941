// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
// @ts-expect-error: a script without types
import { SOURCE, TARGET, written } from '../../scripts/types.mjs';
import { readAddress } from '../timeline/address';
import { fitting, leastWidth, moved } from '../timeline/columns';
import { address } from './client';

it('has the shapes that openapi.json describes (else: npm run types)', () => {
  expect(readFileSync(TARGET, 'utf8')).toBe(written(JSON.parse(readFileSync(SOURCE, 'utf8'))));
});

it('encodes what goes into an address', () => {
  expect(address(['cases', 'a/b c', 'events'], { q: 'x&y', from: undefined, limit: 0 })).toBe(
    '/api/cases/a%2Fb%20c/events?q=x%26y&limit=0',
  );
});

it('reads only what makes sense from the address of the timeline', () => {
  const read = readAddress({
    q: 5,
    f: ['+a:b', 7],
    from: 'soon',
    order: 'up',
    zone: 'Mars/Olympus',
    row: '-1',
    event: '',
  });
  expect(read).toEqual({ q: '5', f: ['+a:b'] });
});

it('moves columns before and behind each other', () => {
  expect(moved(['a', 'b', 'c'], 'c', 'a')).toEqual(['c', 'a', 'b']);
  expect(moved(['a', 'b', 'c'], 'a', 'c')).toEqual(['b', 'c', 'a']);
});

it('keeps time and message where there is no room for more', () => {
  const columns = ['time', 'source', 'actor', 'message'];
  expect(fitting(columns, {}, 10)).toEqual(['time', 'message']);
  expect(fitting(columns, {}, leastWidth(columns, {}))).toEqual(columns);
});
