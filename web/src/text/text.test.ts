// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { bytes, counted, duration } from './number';
import { clock, isoOf, millis, span, told, typed, ZONES } from './time';
import { pretty, shortened, visible } from './visible';

const shown = (text: string, limit = 1000, lines = false) =>
  visible(text, limit, lines)
    .map((piece) => (piece.hidden ? `<${piece.text}>` : piece.text))
    .join('');

describe('what attackers write', () => {
  it('shows characters that hide, reorder or erase', () => {
    expect(shown('invoice\u202egpj.exe')).toBe('invoice<RLO>gpj.exe');
    expect(shown('a\u0000b\u001b[31m\u200bc\u{e0041}')).toBe('a<NUL>b<ESC>[31m<ZWSP>c<U+E0041>');
    expect(shown('\ud800x')).toBe('<U+D800>x');
  });
  it('keeps lines only where lines belong', () => {
    expect(shown('a\nb')).toBe('a<LF>b');
    expect(shown('a\nb\tc\rd', 1000, true)).toBe('a\nb\tc<CR>d');
  });
  it('leaves other writing alone', () => {
    expect(shown('Zürich 東京 עברית 🙂')).toBe('Zürich 東京 עברית 🙂');
  });
  it('is clipped', () => {
    expect(shown('x'.repeat(5000), 100)).toHaveLength(100);
  });
});

describe('raw records', () => {
  it('are indented without touching numbers, order or doubled names', () => {
    const raw = '{"b":12345678901234567890,"a":[1,{}],"a":"x{,}\\"y"}';
    const lines =
      '{\n  "b": 12345678901234567890,\n  "a": [\n    1,\n    {}\n  ],\n  "a": "x{,}\\"y"\n}';
    expect(pretty(raw)).toBe(lines);
  });
  it('stay as they are when they are no JSON', () => {
    for (const raw of ['{broken', 'Nov 23 10:00 host sshd', '']) expect(pretty(raw)).toBe(raw);
  });
});

it('shortens an ARN and nothing else', () => {
  expect(shortened('arn:aws:iam::111122223333:user/jo')).toBe('…user/jo');
  expect(shortened('barn:a:b:c:d:e')).toBe('barn:a:b:c:d:e');
});

describe('times', () => {
  it('keep nanoseconds in any zone', () => {
    const iso = '2026-03-08T23:30:01.123456789Z';
    expect(clock(iso, 'UTC')).toEqual({
      date: '2026-03-08',
      time: '23:30:01',
      fraction: '123456789',
    });
    expect(told(iso, 'Asia/Kolkata')).toBe('2026-03-09 05:00:01.123456789 Asia/Kolkata');
    expect(told(null, 'UTC')).toBe('no time');
  });
  it('can be in zones by the names that these have today, each listed once', () => {
    expect(ZONES[0]).toBe('UTC');
    for (const zone of ['Asia/Kolkata', 'Europe/Kyiv', 'Asia/Kathmandu', 'America/Nuuk'])
      expect(ZONES).toContain(zone);
    expect(new Set(ZONES).size).toBe(ZONES.length);
  });
  it('are read as they were typed, in the zone that is shown', () => {
    expect(typed('2026-05-11 14:30', 'UTC')).toBe('2026-05-11T14:30:00Z');
    expect(typed('2026-05-11', 'Europe/Zurich')).toBe('2026-05-10T22:00:00Z');
    expect(typed('2026-05-11T14:30:00.123456789Z', 'Europe/Zurich')).toBe(
      '2026-05-11T14:30:00.123456789Z',
    );
    expect(typed('2026-05-11 14:30+05:30', 'UTC')).toBe('2026-05-11T09:00:00Z');
    expect(typed('2026-05-11', 'Europe/Zurich', true)).toBe('2026-05-11T21:59:59Z');
    expect(typed('2026-05-11 14:30', 'UTC', true)).toBe('2026-05-11T14:30:59Z');
    expect(typed('yesterday', 'UTC')).toBeNull();
    expect(typed('2026-13-41', 'UTC')).toBeNull();
  });
  it('of a zone come back through what is shown, across the change of clocks', () => {
    for (const iso of ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-10-25T03:00:00Z']) {
      const text = told(iso, 'Europe/Zurich').replace(/ \S+$/, '');
      expect(typed(text, 'Europe/Zurich')).toBe(iso);
    }
  });
  it('that clocks show twice are told apart, and both are in a range that names them', () => {
    const [summer, winter] = ['2023-10-29T00:30:00Z', '2023-10-29T01:30:00Z'];
    expect(told(summer, 'Europe/Berlin')).toBe('2023-10-29 02:30:00 +02:00 Europe/Berlin');
    expect(told(winter, 'Europe/Berlin')).toBe('2023-10-29 02:30:00 +01:00 Europe/Berlin');
    expect(clock('2023-10-29T02:00:00Z', 'Europe/Berlin').offset).toBeUndefined();
    expect(typed('2023-10-29 02:30', 'Europe/Berlin')).toBe(summer);
    expect(typed('2023-10-29 02:30', 'Europe/Berlin', true)).toBe('2023-10-29T01:30:59Z');
    expect(typed('2023-10-29 02:30:00 +01:00', 'Europe/Berlin')).toBe(winter);
    expect(typed('2023-03-26 02:30', 'Europe/Berlin')).toBe('2023-03-26T01:30:00Z');
  });
  it('become milliseconds and spans', () => {
    expect(isoOf(millis('2026-03-08T00:00:00.123456789Z'))).toBe('2026-03-08T00:00:00.123Z');
    expect(span(3_600_000)).toBe('1 h');
    expect(span(90_000)).toBe('1.5 min');
  });
});

it('counts in words', () => {
  expect(counted(1, 'event')).toBe('1 event');
  expect(counted(2900, 'event')).toBe('2,900 events');
  expect(bytes(1536)).toBe('1.5 KiB');
  expect([0, 1023, 1024, 102_400, 2 ** 30].map(bytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '100 KiB',
    '1.0 GiB',
  ]);
  expect(bytes(0)).toBe('0 B');
  expect(duration(75)).toBe('1 min 15 s');
});
