// SPDX-License-Identifier: Apache-2.0
// Evidence is written by attackers. Characters that hide, reorder or erase text are shown as what
// they are, and long values are clipped.

const NAMES: Record<number, string> = {
  0: 'NUL',
  7: 'BEL',
  8: 'BS',
  9: 'TAB',
  10: 'LF',
  13: 'CR',
  27: 'ESC',
  127: 'DEL',
  160: 'NBSP',
  173: 'SHY',
  8203: 'ZWSP',
  8204: 'ZWNJ',
  8205: 'ZWJ',
  8206: 'LRM',
  8207: 'RLM',
  8232: 'LS',
  8233: 'PS',
  8234: 'LRE',
  8235: 'RLE',
  8236: 'PDF',
  8237: 'LRO',
  8238: 'RLO',
  8288: 'WJ',
  8294: 'LRI',
  8295: 'RLI',
  8296: 'FSI',
  8297: 'PDI',
  65279: 'BOM',
  65533: '�',
};

// Controls, soft hyphen, zero-width, bidirectional controls, separators, tags, surrogates.
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;

export interface Piece {
  text: string;
  /** The name of a character that would not be seen otherwise. */
  hidden: boolean;
}

function nameOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return NAMES[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Splits text into what can be shown and the names of what cannot; `lines` keeps LF and TAB. */
export function visible(text: string, limit: number, lines = false): Piece[] {
  const shown = text.length > limit ? text.slice(0, limit) : text;
  const pieces: Piece[] = [];
  let last = 0;
  for (const match of shown.matchAll(HIDDEN)) {
    const character = match[0];
    if (lines && (character === '\n' || character === '\t')) continue;
    if (match.index > last) pieces.push({ text: shown.slice(last, match.index), hidden: false });
    pieces.push({ text: nameOf(character), hidden: true });
    last = match.index + character.length;
  }
  if (last < shown.length) pieces.push({ text: shown.slice(last), hidden: false });
  return pieces;
}

/** An ARN without its first parts, which are alike in every row; the whole is one hover away. */
export function shortened(text: string): string {
  const match = /^arn:[\w-]*:[\w-]*:[\w-]*:[\w-]*:(.+)$/.exec(text);
  return match?.[1] ? `…${match[1]}` : text;
}

/** Raw text for reading: JSON is indented without changing a number or the order of names. */
export function pretty(raw: string): string {
  const text = raw.trim();
  if (!(text.startsWith('{') || text.startsWith('['))) return raw;
  try {
    JSON.parse(text);
  } catch {
    return raw;
  }
  return indent(text);
}

/** Indents JSON by its characters: parsing and writing again would round numbers above 2^53. */
function indent(text: string): string {
  let out = '';
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (quoted) {
      out += character;
      if (character === '\\') {
        at += 1;
        out += text[at] ?? '';
      } else if (character === '"') quoted = false;
      continue;
    }
    if (character === '"') {
      quoted = true;
      out += character;
    } else if (character === '{' || character === '[') {
      const close = character === '{' ? '}' : ']';
      const next = /^\s*/.exec(text.slice(at + 1, at + 200))?.[0].length ?? 0;
      if (text[at + 1 + next] === close) {
        out += character + close;
        at += 1 + next;
      } else {
        depth += 1;
        out += `${character}\n${'  '.repeat(depth)}`;
      }
    } else if (character === '}' || character === ']') {
      depth -= 1;
      out += `\n${'  '.repeat(Math.max(depth, 0))}${character}`;
    } else if (character === ',') out += `,\n${'  '.repeat(depth)}`;
    else if (character === ':') out += ': ';
    else if (!/\s/.test(character)) out += character;
  }
  return out;
}
