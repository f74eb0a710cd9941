// SPDX-License-Identifier: Apache-2.0
// Which names are targets of which actions: the catalogue says it, so that the page knows no cloud.
import type { CloudAction } from '../api/contract';

const patterns = new Map<string, RegExp | null>();

/** An expression of the catalogue as this language writes it; null when it cannot. */
function pattern(names: string): RegExp | null {
  const known = patterns.get(names);
  if (known !== undefined) return known;
  let made: RegExp | null = null;
  try {
    made = new RegExp(`^(?:${names.replaceAll('(?P<', '(?<')})$`);
  } catch {
    // The server judges the name; the page only offers less.
  }
  patterns.set(names, made);
  return made;
}

/** The actions that can be done to what is called so. */
export function meant(actions: CloudAction[], target: string): CloudAction[] {
  const name = target.trim();
  if (!name || name.length > 300) return [];
  return actions.filter((one) => pattern(one.names)?.test(name));
}

export interface Pivot {
  target: string;
  kind: string;
  verbs: string[];
}

const FIELDS = ['resource', 'host', 'actor'];
const MOST = 4;

/** What an event names that something can be done to. */
export function pivots(
  actions: CloudAction[],
  one: Record<string, unknown> & { attributes?: Record<string, string> },
): Pivot[] {
  const said = [
    ...FIELDS.map((field) => String(one[field] ?? '')),
    ...Object.values(one.attributes ?? {}).map(String),
  ];
  const found = new Map<string, Pivot>();
  for (const target of said.flatMap((each) => each.split(/[\s,]+/))) {
    const fitting = found.has(target) ? [] : meant(actions, target);
    if (fitting.length === 0 || found.size >= MOST) continue;
    const verbs = [...new Set(fitting.map((each) => each.verb))].sort();
    found.set(target, { target, kind: fitting[0]?.kind ?? '', verbs });
  }
  return [...found.values()];
}
