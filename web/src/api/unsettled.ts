// SPDX-License-Identifier: Apache-2.0
// Stars and tags that answers of the server may not know yet: an answer that was asked for before a
// mark was kept, and that comes after it, would take the mark off the screen again.
import type { EventRow, Marks } from './contract';

interface Made {
  name: string;
  marks: Marks;
  /** When the server had it, on the same count as `asked`. */
  kept: number | null;
}

const REMEMBERED = 200;
let moment = 0;
let made: Made[] = [];

/** The row as it is with the marks put on it. */
export function marked<Row extends EventRow>(row: Row, marks: Marks): Row {
  const tags = new Set(row.tags);
  for (const tag of marks.add_tags ?? []) tags.add(tag);
  for (const tag of marks.remove_tags ?? []) tags.delete(tag);
  return { ...row, starred: marks.star ?? row.starred, tags: [...tags] };
}

/** Remembers marks on their way; the answer says whether they arrived. */
export function sending(name: string, marks: Marks): (arrived: boolean) => void {
  const one: Made = { name, marks, kept: null };
  made = [...made, one].slice(-REMEMBERED);
  return (arrived) => {
    if (!arrived) made = made.filter((each) => each !== one);
    moment += 1;
    one.kept = moment;
  };
}

/** To be called when rows are asked for; what it gives puts on them what they cannot know. */
export function asking(name: string): <Row extends EventRow>(row: Row) => Row {
  const asked = moment;
  return (row) =>
    made
      .filter((one) => one.name === name && (one.kept === null || one.kept > asked))
      .filter((one) => (one.marks.ids ?? []).includes(row.id))
      .reduce((known, one) => marked(known, one.marks), row);
}

// One after the other, so that an undo always finds what the change before it has done.
let queue: Promise<void> = Promise.resolve();

/** Does it when all marks before it have arrived or failed. */
export function inTurn(what: () => Promise<void>): Promise<void> {
  queue = queue.then(what);
  return queue;
}

/** Whether a query looks for events by their marks. */
export function byMarks(q: string): boolean {
  return /\b(tag|starred)\b/.test(q);
}

/** A search for marks waits for those on their way, or it would not find what the screen shows. */
export async function arrived(q: string): Promise<void> {
  if (byMarks(q)) await queue;
}
