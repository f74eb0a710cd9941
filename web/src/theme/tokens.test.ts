// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');

function tokensOf(scheme: string): Map<string, string> {
  const selector = `:root[data-mantine-color-scheme='${scheme}'] {`;
  const body = css.slice(css.indexOf(selector) + selector.length);
  const found = body.slice(0, body.indexOf('}')).matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6})/g);
  return new Map([...found].map((match) => [match[1] ?? '', match[2] ?? '']));
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast of two colours as WCAG 2 counts it. */
function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const words = ['text', 'muted', 'faint', 'accent', 'good', 'bad', 'warn'];
const sources = Array.from({ length: 9 }, (_, at) => `source-${at}`);
const grounds = ['ground', 'surface', 'raised', 'hover', 'chosen'];
const soft = ['accent', 'good', 'bad', 'warn'].map((name) => [name, `${name}-soft`] as const);

describe.each(['light', 'dark'])('the %s tokens', (scheme) => {
  const tokens = tokensOf(scheme);
  const pairs = [
    ...words.flatMap((word) => grounds.map((ground) => [word, ground] as const)),
    ...sources.flatMap((source) => ['surface', 'hover'].map((ground) => [source, ground] as const)),
    ...soft,
  ];
  it.each(pairs)('%s can be read on %s (WCAG AA)', (word, ground) => {
    const [one, other] = [tokens.get(`--${word}`), tokens.get(`--${ground}`)];
    expect(contrast(one ?? '', other ?? '')).toBeGreaterThanOrEqual(4.5);
  });
});
