// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  clauses,
  combined,
  decodeFilter,
  encodeFilter,
  type Filter,
  LONGEST_QUERY,
  phrase,
  placed,
  toggled,
  tokens,
  tooLong,
  typedPlace,
  wanted,
} from './language';

const is = (field: string, value: string | null): Filter => ({ field, value, not: false });
const isNot = (field: string, value: string | null): Filter => ({ field, value, not: true });

describe('tokens', () => {
  it('cover every character of any text, in order', () => {
    const texts = [
      '',
      'a',
      'actor:"x y" AND NOT (src_ip:10.0.0.0/8)',
      '"',
      '\\',
      '/re',
      '[a TO',
      '\u202e:)(}{][',
    ];
    for (const text of texts)
      expect(
        tokens(text)
          .map((one) => one.text)
          .join(''),
      ).toBe(text);
  });
  it('tell fields, operators and phrases apart', () => {
    const kinds = tokens('actor:"root" AND x')
      .filter((one) => one.kind !== 'space')
      .map((one) => one.kind);
    expect(kinds).toEqual(['field', 'phrase', 'operator', 'word']);
  });
  it('do not take a word for an operator', () => {
    expect(tokens('ANDREA')[0]?.kind).toBe('word');
  });
});

describe('wanted', () => {
  it('is a field at the start of a word', () => {
    expect(wanted('act', 3)).toEqual({ kind: 'field', field: '', prefix: 'act', from: 0, to: 3 });
  });
  it('is a value behind a colon, also inside quotes', () => {
    expect(wanted('actor:', 6)).toMatchObject({
      kind: 'value',
      field: 'actor',
      prefix: '',
      from: 6,
    });
    expect(wanted('actor:"ro', 9)).toMatchObject({ kind: 'value', prefix: 'ro', from: 6, to: 9 });
    expect(wanted('x actor:ali y', 11)).toMatchObject({
      kind: 'value',
      prefix: 'ali',
      from: 8,
      to: 11,
    });
  });
  it('is a value behind a colon or a sign that is part of it', () => {
    expect(wanted('actor:arn:aws:iam::1:us', 23)).toMatchObject({
      kind: 'value',
      field: 'actor',
      prefix: 'arn:aws:iam::1:us',
      from: 6,
    });
    expect(wanted('resource:-lead', 14)).toMatchObject({ kind: 'value', prefix: '-lead' });
    expect(wanted('resource:C:\\', 12)).toMatchObject({ kind: 'value', prefix: 'C:\\' });
    expect(wanted('resource:"a\\"', 13)).toMatchObject({ kind: 'value', prefix: 'a"' });
  });
  it('is a value behind blanks around the colon, and inside a group of values', () => {
    expect(wanted('actor : al', 10)).toMatchObject({ kind: 'value', prefix: 'al', from: 8 });
    const group = 'action:(GetObject OR Pu';
    expect(wanted(group, 8)).toMatchObject({ kind: 'value', field: 'action', prefix: '' });
    expect(wanted(group, group.length)).toMatchObject({
      kind: 'value',
      field: 'action',
      prefix: 'Pu',
      from: 21,
    });
    expect(wanted('(action:x) AND ac', 17)).toMatchObject({ kind: 'field', prefix: 'ac' });
    expect(wanted('action:(x) AND ac', 17)).toMatchObject({ kind: 'field', prefix: 'ac' });
  });
  it('knows a field by its name, however it is written', () => {
    expect(wanted('attributes.user\\ agent:cu', 25)).toMatchObject({
      kind: 'value',
      field: 'attributes.user agent',
      prefix: 'cu',
    });
    expect(wanted('attributes.user-a', 17)).toMatchObject({
      kind: 'field',
      prefix: 'attributes.user-a',
    });
  });
  it('is nothing inside a phrase of its own', () => {
    expect(wanted('"some words"', 5)).toBeNull();
  });
});

describe('filters', () => {
  it('survive the address, whatever their value holds', () => {
    for (const value of ['a:b', '', '"', '-x', '+', 'line\nbreak', null]) {
      for (const filter of [
        is('actor', value),
        isNot('attributes.a.b-c', value),
        is('attributes.cs(User-Agent): \\"\u{1f980}\n', value),
      ]) {
        expect(decodeFilter(encodeFilter(filter))).toEqual(filter);
      }
    }
  });
  it('that are no filters are refused', () => {
    for (const text of ['', 'actor:x', '+', '+a b:c', '+:x']) expect(decodeFilter(text)).toBeNull();
  });
  it('on one field are alternatives, on different fields all must hold', () => {
    expect(clauses([is('actor', 'a'), is('actor', 'b'), isNot('host', 'c')])).toEqual([
      'actor:("a" OR "b")',
      'NOT host:"c"',
    ]);
  });
  it('ask for empty and not empty', () => {
    expect(clauses([is('actor', null)])).toEqual(['NOT actor:*']);
    expect(clauses([isNot('actor', null)])).toEqual(['actor:*']);
    expect(clauses([is('actor', null), is('actor', 'a')])).toEqual([
      '((NOT actor:*) OR actor:"a")',
    ]);
  });
  it('go away when clicked again and turn when clicked the other way', () => {
    const one = is('actor', 'a');
    expect(toggled([one], one)).toEqual([]);
    expect(toggled([one], isNot('actor', 'a'))).toEqual([isNot('actor', 'a')]);
  });
});

describe('the whole query', () => {
  it('keeps what was typed apart from what was clicked', () => {
    expect(combined(' a OR b ', [is('host', 'h')])).toBe('(a OR b) AND host:"h"');
    expect(combined('a', [])).toBe('a');
    expect(combined('', [is('host', 'h')])).toBe('host:"h"');
  });
  it('quotes values so that nothing in them is syntax', () => {
    expect(phrase('a" OR actor:"b\\')).toBe('"a\\" OR actor:\\"b\\\\"');
  });
  it('finds a mistake again in what was typed', () => {
    const filters = [is('host', 'h')];
    const at = combined('x foo:1', filters).indexOf('foo');
    expect(typedPlace(at, 3, 'x foo:1', filters)).toEqual({ position: 2, length: 3 });
  });
  it('finds a mistake behind emoji, which the server counts as one character each', () => {
    const filters = [is('host', 'h')];
    const at = [...combined('😀😀 foo:1', filters)].indexOf('f');
    expect(typedPlace(at, 3, '😀😀 foo:1', filters)).toEqual({ position: 5, length: 3 });
    expect(placed('😀 "😀', 2, 2)).toEqual({ position: 3, length: 3 });
  });
});

describe('tooLong', () => {
  it('says where a query has to end', () => {
    expect(tooLong('x'.repeat(LONGEST_QUERY))).toBeNull();
    expect(tooLong('x'.repeat(LONGEST_QUERY + 3))).toEqual({
      message: 'A query has at most 10,000 characters.',
      position: LONGEST_QUERY,
      length: 3,
    });
  });
  it('counts characters as the server does', () => {
    expect(tooLong('\u{1f600}'.repeat(4000))).toBeNull();
    const long = `${'x'.repeat(LONGEST_QUERY - 1)}\u{1f600}`;
    expect(tooLong(long)).toBeNull();
    expect(tooLong(`${long}y`)).toMatchObject({ position: LONGEST_QUERY + 1, length: 1 });
  });
  it('knows what an address holds', () => {
    const found = tooLong('я'.repeat(9000));
    expect(found?.message).toContain('too long for an address');
    expect(encodeURIComponent('я'.repeat(found?.position ?? 0)).length).toBe(49_998);
    expect(tooLong('%'.repeat(LONGEST_QUERY))).toBeNull();
  });
});
