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
  /** How far the zone is ahead, where a change of clocks makes this time twice. */
  offset?: string;
}

// Browsers list these under the names that they had before (CLDR keeps the first that it knew), and
// read both.
const RENAMED = [
  'Africa/Asmara',
  'America/Argentina/Buenos_Aires',
  'America/Argentina/Catamarca',
  'America/Argentina/Cordoba',
  'America/Argentina/Jujuy',
  'America/Argentina/Mendoza',
  'America/Atikokan',
  'America/Indiana/Indianapolis',
  'America/Kentucky/Louisville',
  'America/Nuuk',
  'Asia/Ho_Chi_Minh',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Yangon',
  'Atlantic/Faroe',
  'Europe/Kyiv',
  'Pacific/Chuuk',
  'Pacific/Kanton',
  'Pacific/Pohnpei',
];
const NAMED = new Set([...Intl.supportedValuesOf('timeZone'), ...RENAMED.filter(isZone)]);

/** The zones that can be chosen, UTC first. */
export const ZONES = ['UTC', ...[...NAMED].filter((one) => one !== 'UTC').sort()];

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
  const moment = Date.parse(`${match[1]}T${match[2]}Z`);
  const [date = '', time = ''] = wallOf(moment, zone);
  const wall = Date.parse(`${date}T${time}Z`);
  const twice = moments(wall, zone).length > 1;
  return { date, time, fraction, offset: twice ? ahead(wall - moment) : undefined };
}

/** Date and time that clocks in the zone show at a moment. */
function wallOf(moment: number, zone: string): [string, string] {
  const part: Record<string, string> = {};
  for (const piece of format(zone).formatToParts(moment)) part[piece.type] = piece.value;
  return [`${part.year}-${part.month}-${part.day}`, `${part.hour}:${part.minute}:${part.second}`];
}

/** An offset as ISO 8601 writes it. */
function ahead(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  const digits = (number: number) => String(number).padStart(2, '0');
  const sign = milliseconds < 0 ? '-' : '+';
  return `${sign}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
}

const DAY = 86_400_000;

/** The moments at which clocks in the zone show this time: one, two, or none; the first one first. */
function moments(wall: number, zone: string): number[] {
  const shown = (moment: number) => Date.parse(`${wallOf(moment, zone).join('T')}Z`);
  const offsets = new Set([wall - DAY, wall + DAY].map((near) => shown(near) - near));
  if (offsets.size === 1) return [...offsets].map((offset) => wall - offset);
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((moment) => shown(moment) === wall)
    .sort((a, b) => a - b);
}

/** The whole time with its zone named, for reading and copying. */
export function told(iso: string | null | undefined, zone: string): string {
  if (!iso) return 'no time';
  const read = clock(iso, zone);
  const fraction = read.fraction ? `.${read.fraction}` : '';
  const offset = read.offset ? ` ${read.offset}` : '';
  return `${read.date} ${read.time}${fraction}${offset} ${zone}`;
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
 * range includes all that it names: a date its day, a time that clocks show twice both of them.
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
  } else if (!offset && zone !== 'UTC') {
    const found = moments(moment, zone);
    moment = found[ends ? found.length - 1 : 0] ?? moment - shift(moment, zone);
  }
  const iso = new Date(moment).toISOString().slice(0, 19);
  return `${iso}${fraction ? `.${fraction}` : ''}Z`;
}

/** How far the zone is ahead of UTC at a wall-clock time, in milliseconds. */
function shift(wall: number, zone: string): number {
  const at = (moment: number) => Date.parse(`${wallOf(moment, zone).join('T')}Z`) - moment;
  return at(wall - at(wall));
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
