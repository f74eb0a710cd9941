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
  /** When the newest alert came that was shown; empty before the first. */
  alertsSeen: string;
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
  alertsSeen: '',
};

const KEY = 'locard.preferences';
const UNSENT = 'locard.preferences.unsent';
const WHERE = address(['users', 'me', 'preferences']);

function recalled(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Private windows may refuse storage; the choice then lasts as long as the page.
  }
}

function sane(kept: unknown): Preferences {
  const given = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Preferences>;
  const merged = { ...INITIAL, ...given };
  if (!Array.isArray(merged.columns) || merged.columns.length === 0) {
    merged.columns = DEFAULT_COLUMNS;
  }
  if (typeof merged.alertsSeen !== 'string') merged.alertsSeen = '';
  if (!Array.isArray(merged.folded)) merged.folded = INITIAL.folded;
  return merged;
}

function read(): Preferences {
  try {
    return sane(JSON.parse(recalled(KEY) ?? '{}'));
  } catch {
    return INITIAL;
  }
}

let own = read();
/** The zone of the address that is looked at: it holds here and now, and is not what was chosen. */
let lent: string | null = null;
let zoneChosen = false;
let current = own;
let sending: number | undefined;
const listeners = new Set<() => void>();

/** What was chosen last, in whichever window of this browser. */
function latest(): Preferences {
  return recalled(KEY) === null ? own : read();
}

function show(): void {
  current = lent === null || lent === own.zone ? own : { ...own, zone: lent };
  for (const listener of listeners) listener();
}

function apply(next: Preferences): void {
  own = next;
  remember(KEY, JSON.stringify(next));
  document.documentElement.setAttribute('data-density', next.density);
  show();
}

/** Shows times in another zone than the chosen one, until it is taken back with `null`. */
export function lendZone(zone: string | null): void {
  if (lent === zone) return;
  lent = zone;
  show();
}

export function choose(change: Partial<Preferences>): void {
  if (change.zone) {
    lent = null;
    zoneChosen = true;
  }
  apply({ ...latest(), ...change });
  remember(UNSENT, 'yes');
  window.clearTimeout(sending);
  sending = window.setTimeout(() => void send(), 800);
}

/** Sends what was chosen. What does not arrive still holds here and is sent the next time. */
async function send(): Promise<void> {
  window.clearTimeout(sending);
  const sent = latest();
  await ask('PUT', WHERE, { body: sent, keepalive: true }).then(
    () => {
      if (JSON.stringify(latest()) === JSON.stringify(sent)) remember(UNSENT, null);
    },
    () => undefined,
  );
}

// Somebody who chooses and leaves at once has chosen all the same.
window.addEventListener('pagehide', () => {
  if (recalled(UNSENT)) void send();
});

/** Takes over what the server has kept, unless it has yet to hear what was chosen here. */
export async function loadPreferences(): Promise<void> {
  if (recalled(UNSENT)) return send();
  const kept = await get<unknown>(WHERE).catch(() => null);
  if (recalled(UNSENT)) return;
  if (kept && typeof kept === 'object' && Object.keys(kept).length > 0) apply(sane(kept));
}

/** Before somebody signs out: what they chose is theirs, not the next one's. */
export async function leavePreferences(): Promise<void> {
  if (recalled(UNSENT)) await send();
  remember(UNSENT, null);
}

export function preferences(): Preferences {
  return current;
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The zone that the person chose, whatever a link has lent. */
export function useOwnZone(): string {
  return useSyncExternalStore(subscribe, () => own.zone);
}

/** Whether the person has chosen a zone since the page was opened. */
export function choseZone(): boolean {
  return zoneChosen;
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
