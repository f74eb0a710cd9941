// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) =>
  join(root, name),
);
const texts = new Map(
  files
    .filter((name) => /\.(tsx?|module\.css)$/.test(name))
    .map((name) => [name, readFileSync(name, 'utf8').replace(/\/\*.*?\*\//gs, '')]),
);
const sheets = [...texts.keys()].filter((name) => name.endsWith('.css'));

/** The classes that a style sheet gives rules to. */
function defined(sheet: string): string[] {
  const selectors = (texts.get(sheet) ?? '').replace(/\{[^{}]*\}|:global\([^)]*\)/g, ' ');
  return [...selectors.matchAll(/\.([a-z][\w-]*)/gi)].map((found) => found[1] ?? '');
}

/** The classes of a style sheet that a page names, or that another class is composed of. */
function used(sheet: string): string[] {
  const found: string[] = [];
  for (const [name, text] of texts) {
    const here = (path: string) => resolve(dirname(name), path) === sheet;
    for (const [, as, path] of text.matchAll(/^import (\w+) from '(\..+\.module\.css)';$/gm)) {
      if (!here(path ?? '')) continue;
      const rest = text.replace(/^import .*$/gm, '');
      for (const [, one] of rest.matchAll(new RegExp(`\\b${as}\\.(\\w+)`, 'g')))
        found.push(one ?? '');
    }
    for (const [, one, path] of text.matchAll(/composes: ([\w-]+)(?: from '(.+)')?;/g))
      if (path ? here(path) : name === sheet) found.push(one ?? '');
  }
  return found;
}

it.each(sheets.map((sheet) => [relative(root, sheet), sheet]))(
  '%s has rules for what is used, and for nothing else',
  (_name, sheet) => {
    const unique = (names: string[]) => [...new Set(names)].sort();
    expect(unique(defined(sheet))).toEqual(unique(used(sheet)));
    expect(used(sheet).length).toBeGreaterThan(0);
  },
);
