// SPDX-License-Identifier: Apache-2.0
// What a person has chosen, kept on the server so that it follows them to another browser, and
// here so that the first paint is right.
import { useSyncExternalStore } from 'react';
import { address, ask, get } from '../api/client';

export interface Preferences {
  theme: 'system' | 'light' | 'dark';
  density: 'compact' | 'comfortable';
  zone: string;
  columns: string[];
  widths: Record<string, number>;
  facetsOpen: boolean;
  folded: string[];
}

export const DEFAULT_COLUMNS = ['time', 'source', 'actor', 'action', 'src_ip', 'message'];

const INITIAL: Preferences = {
  theme: 'system',
  density: 'compact',
  zone: 'UTC',
  columns: DEFAULT_COLUMNS,
  widths: {},
  facetsOpen: true,
  folded: ['provider', 'account', 'region', 'error', 'dst_ip'],
};

const KEY = 'locard.preferences';

function sane(kept: unknown): Preferences {
  const given = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Preferences>;
  const merged = { ...INITIAL, ...given };
  if (!Array.isArray(merged.columns) || merged.columns.length === 0) {
    merged.columns = DEFAULT_COLUMNS;
  }
  if (!Array.isArray(merged.folded)) merged.folded = INITIAL.folded;
  return merged;
}

function read(): Preferences {
  try {
    return sane(JSON.parse(localStorage.getItem(KEY) ?? '{}'));
  } catch {
    return INITIAL;
  }
}

let current = read();
let sending: number | undefined;
const listeners = new Set<() => void>();

function apply(next: Preferences): void {
  current = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Private windows may refuse storage; the choice then lasts as long as the page.
  }
  document.documentElement.setAttribute('data-density', next.density);
  for (const listener of listeners) listener();
}

export function choose(change: Partial<Preferences>): void {
  apply({ ...current, ...change });
  window.clearTimeout(sending);
  sending = window.setTimeout(() => {
    // A choice that could not be kept on the server still holds in this browser.
    ask('PUT', address(['users', 'me', 'preferences']), { body: current }).catch(() => undefined);
  }, 800);
}

/** Takes over what the server has kept for the person who has just signed in. */
export async function loadPreferences(): Promise<void> {
  const kept = await get<unknown>(address(['users', 'me', 'preferences'])).catch(() => null);
  if (kept && typeof kept === 'object' && Object.keys(kept).length > 0) apply(sane(kept));
}

export function preferences(): Preferences {
  return current;
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** "light" or "dark" as the page shows it now, for what draws with computed colours. */
export function useScheme(): string {
  return useSyncExternalStore(watchScheme, schemeNow);
}

function watchScheme(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  const attributeFilter = ['data-mantine-color-scheme'];
  observer.observe(document.documentElement, { attributes: true, attributeFilter });
  return () => observer.disconnect();
}

function schemeNow(): string {
  return document.documentElement.getAttribute('data-mantine-color-scheme') ?? 'light';
}
