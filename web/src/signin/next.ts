// SPDX-License-Identifier: Apache-2.0
// Which page was asked for before signing in. The one-time link that the terminal prints does not
// know it, so this tab keeps it until somebody has signed in.
const KEY = 'locard.next';

/** Only a path of this page: a link must not send somebody who signs in to another site. */
export function isOwnPath(next: unknown): next is string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in');
}

export function keepNext(next: string): void {
  window.sessionStorage.setItem(KEY, next);
}

/** The page that was asked for, once; the list of cases when none was. */
export function takeNext(): string {
  const kept = window.sessionStorage.getItem(KEY);
  window.sessionStorage.removeItem(KEY);
  return isOwnPath(kept) ? kept : '/cases';
}
