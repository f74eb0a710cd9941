// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { CustodyEntry } from '../api/contract';
import { readCustodyAddress } from './address';
import { grouped, KINDS, telling, whence } from './telling';

const entry = (verb: string, more: Partial<CustodyEntry> = {}): CustodyEntry => ({
  sequence: 1,
  time: '2026-03-01T00:00:00Z',
  actor: 'omar',
  door: 'page',
  address: '10.0.0.7',
  agent: '',
  verb,
  evidence: 'e'.repeat(64),
  exhibit: 'C-0001',
  name: 'a.json',
  case: 'c',
  reason: 'because',
  details: {},
  previous: 0,
  hash: '',
  ...more,
});

describe('an entry', () => {
  it('is told as a person would say it', () => {
    const read = entry('processed', { details: { parser: 'aws.cloudtrail 3' } });
    expect(telling(read).sentence).toBe('Read by aws.cloudtrail 3');
    expect(telling(entry('verified')).sentence).toBe('Verified: bytes are unchanged');
    expect(telling(entry('downloaded')).more).toBe('because');
    const taken = entry('acquired', { details: { name: 'in/a.json', size: '2048' } });
    expect(telling(taken).sentence).toBe('Taken in by {who}, 2.0 KiB');
    expect(telling(taken).more).toBe('from in/a.json · because');
  });
  it('says that an exhibit was taken in again', () => {
    const again = entry('acquired', { previous: 7, details: { size: '2048' } });
    expect(telling(again).sentence).toBe('Taken in again by {who}: the same bytes');
  });
  it('says when it happened to the whole case', () => {
    const held = entry('held', { evidence: '' });
    expect(telling(held, true).sentence).toBe('Put under legal hold by {who} (the whole case)');
    expect(telling(held).sentence).toBe('Put under legal hold by {who}');
    expect(telling(entry('verified', { evidence: '' }), true).sentence).toContain('whole case');
  });
  it('says whether a bundle holds the whole case', () => {
    const bundle = (exhibits: string) =>
      entry('exported', { evidence: '', details: { members: '9', exhibits } });
    expect(telling(bundle('12'), true).sentence).toContain('(the whole case)');
    const one = 'Exhibit OLD-0012 exported by {who} as a sealed bundle';
    expect(telling(bundle('OLD-0012'), true).sentence).toBe(one);
  });
  it('of a kind that we do not know is told all the same', () => {
    const folded = entry('processed', { details: { copy: 'ab', rows: '12' } });
    expect(telling(folded).sentence).toBe('Its rows went into those of the whole copy');
    expect(telling(entry('corroborated')).tone).toBe('good');
    expect(telling(entry('teleported')).sentence).toBe('{who}: teleported');
  });
  it('says through which door and from where', () => {
    expect(whence(entry('viewed'))).toBe('page, 10.0.0.7');
    expect(whence(entry('viewed', { door: 'api', address: '' }))).toBe('API');
  });
  it('of what failed looks bad', () => {
    for (const verb of ['verification-failed', 'failed', 'refused', 'disposed']) {
      expect(telling(entry(verb)).tone).toBe('bad');
    }
  });
});

describe('entries', () => {
  it('of one deed of one person are put together, in their order', () => {
    const list = [
      entry('searched', { sequence: 5, evidence: '' }),
      entry('searched', { sequence: 4, evidence: '' }),
      entry('searched', { sequence: 3, evidence: '', actor: 'mei' }),
      entry('viewed', { sequence: 2 }),
      entry('viewed', { sequence: 1, evidence: 'f'.repeat(64) }),
    ];
    expect(grouped(list).map((group) => group.entries.length)).toEqual([2, 1, 1, 1]);
  });
  it('that say something else are not put together', () => {
    const read = { parser: 'disk.image', rows: '10' };
    const list = [
      entry('processed', { sequence: 3, details: { copy: 'ab', rows: '10' } }),
      entry('processed', { sequence: 2, details: read }),
      entry('processed', { sequence: 1, details: read }),
    ];
    expect(grouped(list).map((group) => group.entries.length)).toEqual([1, 2]);
  });
  it('that are decisions are never put together', () => {
    for (const verb of ['held', 'disposed', 'downloaded', 'exported', 'refused', 'granted']) {
      const two = [entry(verb, { sequence: 2 }), entry(verb, { sequence: 1 })];
      expect(grouped(two)).toHaveLength(2);
    }
  });
});

it('every kind has its verbs', () => {
  for (const kind of Object.values(KINDS)) expect(kind.verbs.length).toBeGreaterThan(1);
});

it('reads what the address says and nothing else', () => {
  expect(readCustodyAddress({ view: 'keeping', id: 'a', q: 12, junk: 1 })).toEqual({
    view: 'keeping',
    id: 'a',
    q: '12',
  });
  expect(readCustodyAddress({ view: 'exhibits' }).view).toBeUndefined();
  expect(readCustodyAddress({ view: 'nonsense' }).view).toBeUndefined();
});
