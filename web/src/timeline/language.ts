// SPDX-License-Identifier: Apache-2.0
// The page's share of the query language: colouring, completion and the clauses that clicks make.
// What is right and wrong is decided by the server alone.

import { count } from '../text/number';

export type TokenKind =
  | 'field'
  | 'operator'
  | 'phrase'
  | 'regex'
  | 'range'
  | 'group'
  | 'word'
  | 'space';

export interface QueryToken {
  kind: TokenKind;
  text: string;
  start: number;
}

const PATTERNS: [TokenKind, RegExp][] = [
  ['space', /\s+/y],
  ['phrase', /"(?:[^"\\]|\\.)*"?/y],
  ['regex', /\/(?:[^/\\]|\\.)*\/?(?=[\s)]|$)/y],
  ['range', /[[{][^\]}]*[\]}]?/y],
  ['operator', /(?:AND|OR|NOT|TO)(?=[\s()]|$)|&&|\|\||[!+](?=\S)|-(?=[\w"(_])/y],
  ['field', /[A-Za-z_@](?:[^\s:()[\]{}"\\]|\\.)*(?::|\s+:(?!:))/y],
  ['group', /[()]/y],
  ['word', /(?:[^\s()"[\]{}\\]|\\.?)+|[\s\S]/y],
];

/** What may stand behind the colon of a field: there a further colon and a sign are text. */
const VALUES = PATTERNS.filter(([kind]) => kind !== 'operator' && kind !== 'field');

/** Cuts a query into tokens for colouring. Never fails: whatever is half-typed becomes a word. */
export function tokens(text: string): QueryToken[] {
  const found: QueryToken[] = [];
  let at = 0;
  while (at < text.length) {
    const valued = fieldBefore(found, found.length) !== null;
    for (const [kind, pattern] of valued ? VALUES : PATTERNS) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (!match?.[0]) continue;
      found.push({ kind, text: match[0], start: at });
      at += match[0].length;
      break;
    }
  }
  return found;
}

export interface Wanted {
  kind: 'field' | 'value';
  field: string;
  prefix: string;
  /** The stretch of the query that a suggestion takes the place of. */
  from: number;
  to: number;
}

/** The field whose colon stands right before a token, with or without blanks between the two. */
function fieldBefore(all: QueryToken[], at: number): QueryToken | null {
  const last = all[at - 1];
  const before = last?.kind === 'space' ? all[at - 2] : last;
  return before?.kind === 'field' ? before : null;
}

/** The field that a token is a value of: the one right before it, or before the group around it. */
function fieldOf(all: QueryToken[], at: number): QueryToken | null {
  const own = fieldBefore(all, at);
  if (own) return own;
  let closed = 0;
  for (let index = at - 1; index >= 0; index -= 1) {
    const token = all[index];
    if (token?.kind !== 'group') continue;
    if (token.text === ')') closed += 1;
    else if (closed > 0) closed -= 1;
    else {
      const named = fieldBefore(all, index);
      if (named) return named;
    }
  }
  return null;
}

/** What escapes stand for. */
const unescaped = (text: string) => text.replace(/\\(.)/gsu, '$1');

/** A name as it stands before a colon: what would end it there is escaped. */
export const escaped = (name: string) => name.replace(/[^\w.-]/gu, '\\$&');

/** The name that a field's token stands for. */
const nameOf = (token: QueryToken) => unescaped(token.text.slice(0, -1).trimEnd());

/** What could be completed at the caret. */
export function wanted(text: string, caret: number): Wanted | null {
  const all = tokens(text);
  const at = all.findIndex(
    (token) => token.start < caret && caret <= token.start + token.text.length,
  );
  const token = all[at];
  const nothing = { prefix: '', from: caret, to: caret };
  const begins = !token || token.kind === 'space' || token.text === '(';
  if (begins || (token.kind === 'field' && caret === token.start + token.text.length)) {
    const before = token ? fieldOf(all, at + 1) : null;
    if (before) return { kind: 'value', field: nameOf(before), ...nothing };
    return { kind: 'field', field: '', ...nothing };
  }
  const typed = text.slice(token.start, caret);
  const before = fieldOf(all, at);
  if (before && (token.kind === 'word' || token.kind === 'phrase')) {
    const inside = /^"((?:[^"\\]|\\.)*)"?$/.exec(typed)?.[1] ?? typed.replace(/^"/, '');
    const to = token.start + token.text.length;
    const prefix = unescaped(inside);
    return { kind: 'value', field: nameOf(before), prefix, from: token.start, to };
  }
  if (token.kind === 'word' || token.kind === 'field') {
    if (!/^[A-Za-z_@](?:[^\s:()[\]{}"\\*?]|\\.)*$/.test(typed)) return null;
    const to = token.start + token.text.length;
    return { kind: 'field', field: '', prefix: unescaped(typed), from: token.start, to };
  }
  return null;
}

/** A value as a phrase, so that nothing in it is taken for syntax. */
export function phrase(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

/** One click on a value: the field must have it, or must not. No value means "is empty". */
export interface Filter {
  field: string;
  value: string | null;
  not: boolean;
}

export function encodeFilter(filter: Filter): string {
  const value = filter.value === null ? '' : `:${filter.value}`;
  return `${filter.not ? '-' : '+'}${escaped(filter.field)}${value}`;
}

/** Reads a filter from the address; null for what is not one. Colons of a name are escaped there. */
export function decodeFilter(text: string): Filter | null {
  const match = /^([+-])([A-Za-z_](?:[\w.-]|\\[\s\S])*)(?::([\s\S]*))?$/u.exec(text);
  if (!match?.[2]) return null;
  return { field: unescaped(match[2]), value: match[3] ?? null, not: match[1] === '-' };
}

function one(filter: Filter): string {
  const field = escaped(filter.field);
  if (filter.value === null) return filter.not ? `${field}:*` : `NOT ${field}:*`;
  return `${filter.not ? 'NOT ' : ''}${field}:${phrase(filter.value)}`;
}

/** The clauses of filters: values of one field are alternatives, everything else must all hold. */
export function clauses(filters: Filter[]): string[] {
  const out: string[] = [];
  const together = new Map<string, Filter[]>();
  for (const filter of filters) {
    if (filter.not) continue;
    together.set(filter.field, [...(together.get(filter.field) ?? []), filter]);
  }
  for (const [field, group] of together) {
    const first = group[0];
    if (group.length === 1 && first) out.push(one(first));
    else if (group.every((filter) => filter.value !== null)) {
      out.push(
        `${escaped(field)}:(${group.map((filter) => phrase(filter.value ?? '')).join(' OR ')})`,
      );
    } else
      out.push(
        `(${group.map((filter) => (filter.value === null ? `(${one(filter)})` : one(filter))).join(' OR ')})`,
      );
  }
  for (const filter of filters) if (filter.not) out.push(one(filter));
  return out;
}

/** The whole query: what was typed and what was clicked. */
export function combined(typed: string, filters: Filter[]): string {
  const made = clauses(filters);
  const text = typed.trim();
  if (made.length === 0) return text;
  if (text) made.unshift(`(${text})`);
  return made.join(' AND ');
}

/**
 * The place of a mistake in the units of JavaScript's texts. The server counts characters, of which
 * an emoji is one and takes two units here.
 */
export function placed(text: string, position: number, length: number) {
  const characters = [...text];
  const from = characters.slice(0, position).join('').length;
  return { position: from, length: characters.slice(position, position + length).join('').length };
}

/** Characters of a query that the server takes at most. */
export const LONGEST_QUERY = 10_000;

/** Bytes that a query may take in an address, most of what the server reads of one. */
const LONGEST_WRITTEN = 50_000;

/**
 * What is wrong with a query that is too long, and from where on; null for any other. In the address
 * it would be answered by the server without a word of ours when the page is loaded again.
 */
export function tooLong(
  text: string,
): { message: string; position: number; length: number } | null {
  const from = text.length > LONGEST_QUERY ? placed(text, LONGEST_QUERY, 0).position : text.length;
  if (from < text.length) {
    const message = `A query has at most ${count(LONGEST_QUERY)} characters.`;
    return { message, position: from, length: text.length - from };
  }
  let bytes = 0;
  let at = 0;
  for (const letter of text) {
    bytes += /[\w.~*-]/.test(letter) ? 1 : encoded(letter);
    if (bytes > LONGEST_WRITTEN) {
      const message =
        'The query is too long for an address: letters beyond ASCII take up to twelve bytes each.';
      return { message, position: at, length: text.length - at };
    }
    at += letter.length;
  }
  return null;
}

/** Bytes of a character in an address: three for each of its bytes in UTF-8. */
function encoded(letter: string): number {
  return 3 * new TextEncoder().encode(letter).length;
}

/** Where a mistake in the combined query is in what was typed. */
export function typedPlace(position: number, length: number, typed: string, filters: Filter[]) {
  const lead = typed.length - typed.trimStart().length;
  const found = placed(combined(typed, filters), position, length);
  const before = filters.length > 0 ? 1 : 0;
  return { position: Math.max(0, found.position - before + lead), length: found.length };
}

export function sameFilter(one: Filter, other: Filter): boolean {
  return one.field === other.field && one.value === other.value;
}

/** Adds a filter, replaces its opposite, or takes it away when it was there. */
export function toggled(filters: Filter[], filter: Filter): Filter[] {
  const rest = filters.filter((known) => !sameFilter(known, filter));
  const known = filters.find((each) => sameFilter(each, filter));
  return known && known.not === filter.not ? rest : [...rest, filter];
}
