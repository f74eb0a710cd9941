// SPDX-License-Identifier: Apache-2.0
// Files on their way to the vault. They are kept here and not in the page that shows them: whoever
// looks at another page meanwhile loses none.
import { useMemo, useSyncExternalStore } from 'react';
import { address, Failure, upload } from '../api/client';
import { client } from '../api/queries';
import { counted } from '../text/number';
import { type Listing, tar } from './folder';

export interface Sending {
  key: number;
  case: string;
  file: File;
  sent: number;
  /** When its first byte was sent, 0 while it waits. */
  started: number;
  failed: string;
  /** Whether the case turned out to hold the same bytes already. */
  known: boolean;
  /** What the server is told about the file beside its bytes. */
  told: Told;
  cancel: () => void;
}

/** How evidence is to be read, where somebody knows better than what its content says. */
export interface Reading {
  as?: string;
  zone?: string;
  host?: string;
  mapping?: string;
}

/** When the file was changed, in milliseconds: logs that write no year have theirs from it. */
type Told = Reading & { modified?: number };

let next = 1;
let list: Sending[] = [];
let busy = false;
const watching = new Set<() => void>();

function put(now: Sending[]): void {
  list = now;
  for (const told of watching) told();
}

function change(key: number, what: Partial<Sending>): void {
  put(list.map((each) => (each.key === key ? { ...each, ...what } : each)));
}

export function forget(...keys: number[]): void {
  put(list.filter((each) => !keys.includes(each.key)));
}

/** Whether it is still to be sent, or being sent. */
export function isGoing(one: Sending): boolean {
  return !one.failed && !one.known;
}

/** Adds files to those that are sent to a case. */
export function send(name: string, files: Iterable<File>, reading: Reading): void {
  const told = (file: File) => ({ ...reading, modified: Math.max(0, file.lastModified) });
  put([...list, ...[...files].map((file) => entry(name, file, told(file)))]);
  void work();
}

/** How many files of a folder that cannot be read have a line each. */
const NAMED = 10;

/** Adds a folder to them, as one tar, and says what of it could not be read. */
export function sendFolder(name: string, folder: string, held: Listing, reading: Reading): void {
  const { members, unread } = held;
  const left = unread.slice(0, NAMED);
  if (unread.length > NAMED)
    left.push(`${folder}: ${counted(unread.length - NAMED, 'further path')}`);
  const unsent = (path: string, why: string) => entry(name, new File([], path), {}, why);
  const told = left.map((path) => unsent(path, 'Your browser cannot read it.'));
  if (members.length === 0 && left.length === 0) {
    told.push(unsent(folder, 'There is no file in this folder.'));
  }
  // The tar is of now and no log: its files have their own times, and are each recognised.
  const { as: _, ...inside } = reading;
  if (members.length > 0) told.push(entry(name, tar(folder, members), inside));
  put([...list, ...told]);
  void work();
}

function entry(name: string, file: File, told: Told, failed = ''): Sending {
  const key = next;
  next += 1;
  const cancel = () => forget(key);
  return { key, case: name, file, told, sent: 0, started: 0, failed, known: false, cancel };
}

/** One after the other: the disk is the limit, not the line. */
async function work(): Promise<void> {
  if (busy) return;
  busy = true;
  for (;;) {
    const one = list.find((each) => isGoing(each) && each.started === 0);
    if (!one) break;
    const where = address(['cases', one.case, 'evidence'], { name: one.file.name, ...one.told });
    const sending = upload(where, one.file, (sent) => change(one.key, { sent }));
    change(one.key, { started: Date.now(), cancel: sending.cancel });
    try {
      const known = await sending.done;
      if (known) change(one.key, { known });
      else forget(one.key);
      for (const key of ['evidence', 'case']) {
        void client.invalidateQueries({ queryKey: [key, one.case] });
      }
    } catch (error) {
      const problem = error instanceof Failure ? error.problem : null;
      const told = [problem?.detail || 'The upload failed.', problem?.advice];
      change(one.key, { failed: told.filter(Boolean).join(' ') });
    }
  }
  busy = false;
}

function watch(told: () => void): () => void {
  watching.add(told);
  return () => watching.delete(told);
}

/** What is on its way to a case, or could not be added. */
export function useSending(name: string): Sending[] {
  const all = useSyncExternalStore(watch, () => list);
  return useMemo(() => all.filter((each) => each.case === name), [all, name]);
}

// Closing the window would leave out what has not been sent: the browser asks first.
window.addEventListener('beforeunload', (event) => {
  if (list.some(isGoing)) event.preventDefault();
});
