// SPDX-License-Identifier: Apache-2.0
// Times stay the text that the server sent, so that nanoseconds survive; a `Date` is made only to
// move into another zone, and the digits below a millisecond are put back afterwards.

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let known = formats.get(zone);
  if (!known) {
    known = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, known);
  }
  return known;
}

export interface Clock {
  date: string;
  time: string;
  /** Digits after the second, without the dot; empty when the source had none. */
  fraction: string;
}

/** The zones that can be chosen, UTC first. */
export const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((one) => one !== 'UTC')];

/** Whether this browser knows the zone. */
export function isZone(zone: unknown): zone is string {
  if (typeof zone !== 'string' || zone === '') return false;
  try {
    format(zone);
    return true;
  } catch {
    return false;
  }
}

/** Date, time and fraction of an ISO time in a zone. */
export function clock(iso: string, zone: string): Clock {
  const match = /^([+-]?\d{4,6}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(iso);
  if (!match) return { date: iso, time: '', fraction: '' };
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (zone === 'UTC') return { date: match[1] ?? '', time: match[2] ?? '', fraction };
  const moment = new Date(`${match[1]}T${match[2]}Z`);
  const part: Record<string, string> = {};
  for (const piece of format(zone).formatToParts(moment)) part[piece.type] = piece.value;
  return {
    date: `${part.year}-${part.month}-${part.day}`,
    time: `${part.hour}:${part.minute}:${part.second}`,
    fraction,
  };
}

/** The whole time with its zone named, for reading and copying. */
export function told(iso: string | null | undefined, zone: string): string {
  if (!iso) return 'no time';
  const read = clock(iso, zone);
  const fraction = read.fraction ? `.${read.fraction}` : '';
  return `${read.date} ${read.time}${fraction} ${zone === 'UTC' ? 'UTC' : zone}`;
}

/** Date and minute, for labels where seconds are noise. */
export function short(iso: string | null | undefined, zone: string): string {
  if (!iso) return '—';
  const read = clock(iso, zone);
  return `${read.date} ${read.time.slice(0, 5)}`;
}

/** The two ends of a range, with seconds where minutes do not tell them apart. */
export function ends(from: number, to: number, zone: string): [string, string] {
  const close = to - from < 10 * 60_000;
  const end = (at: number) => {
    const read = clock(isoOf(at), zone);
    const fraction = to - from < 10_000 ? `.${read.fraction.padEnd(3, '0').slice(0, 3)}` : '';
    return close ? `${read.date} ${read.time}${fraction}` : short(isoOf(at), zone);
  };
  return [end(from), end(to)];
}

/** Milliseconds since 1970 of an ISO time. */
export function millis(iso: string): number {
  return Date.parse(iso.replace(/(\.\d{3})\d+/, '$1'));
}

export function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/**
 * What a person typed as a time in a zone, as ISO in UTC; null when it is no time. A time that ends a
 * range includes all that it names: a date its day.
 */
export function typed(text: string, zone: string, ends = false): string | null {
  const match =
    /^\s*(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?\s*$/i.exec(
      text,
    );
  if (!match) return null;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const left = ends ? ['23', '59', '59'] : ['00', '00', '00'];
  const clockTime = [hour ?? left[0], minute ?? left[1], second ?? left[2]].join(':');
  const plain = `${year}-${month}-${day}T${clockTime}`;
  let moment = Date.parse(`${plain}Z`);
  if (Number.isNaN(moment)) return null;
  if (offset && !/^(z|utc)$/i.test(offset)) {
    const sign = offset[0] === '-' ? -1 : 1;
    const digits = offset.replace(/\D/g, '');
    moment -= sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000;
  } else if (!offset && zone !== 'UTC') moment -= shift(moment, zone);
  const iso = new Date(moment).toISOString().slice(0, 19);
  return `${iso}${fraction ? `.${fraction}` : ''}Z`;
}

/** How far the zone is ahead of UTC at a wall-clock time, in milliseconds. */
function shift(wall: number, zone: string): number {
  const ahead = (moment: number): number => {
    const read = clock(new Date(moment).toISOString(), zone);
    return Date.parse(`${read.date}T${read.time}Z`) - Math.floor(moment / 1000) * 1000;
  };
  return ahead(wall - ahead(wall));
}

export function span(milliseconds: number): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
    [1, 'ms'],
  ];
  for (const [size, name] of units) {
    if (milliseconds >= size) {
      const amount = milliseconds / size;
      return `${amount >= 10 || Number.isInteger(amount) ? Math.round(amount) : amount.toFixed(1)} ${name}`;
    }
  }
  return '0 s';
}
