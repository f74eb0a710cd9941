// SPDX-License-Identifier: Apache-2.0
// Stars and tags: sent to the server, shown at once, and taken back with one key.
import { notifications } from '@mantine/notifications';
import { mayNow } from '../access/may';
import { address, ask, Failure } from '../api/client';
import type { EventPage, EventRow, FullEvent, Marks } from '../api/contract';
import { type Asked, client } from '../api/queries';
import { byMarks, inTurn, marked, sending } from '../api/unsettled';

const SEARCHES = new Set(['events', 'count', 'histogram', 'facets']);

interface Undo {
  name: string;
  /** What takes the marks off the screen: guessed at first, and exact as soon as it is `kept`. */
  shown: Marks[];
  /** What takes them off the case, as soon as the server has said so. */
  kept: Marks | null;
}

const undos: Undo[] = [];

function patch(name: string, marks: Marks): void {
  const ids = new Set(marks.ids);
  client.setQueriesData<EventPage>({ queryKey: ['events', name] }, (page) =>
    page?.events.some((row) => ids.has(row.id))
      ? { ...page, events: page.events.map((row) => (ids.has(row.id) ? marked(row, marks) : row)) }
      : page,
  );
  client.setQueriesData<FullEvent>({ queryKey: ['event', name] }, (one) =>
    one && ids.has(one.id) ? marked(one, marks) : one,
  );
}

/** An event as it was last marked, which the screen may be a moment behind of. */
function latest(name: string, id: string): EventRow | undefined {
  const full = client.getQueryData<FullEvent>(['event', name, id]);
  if (full) return full;
  for (const [, page] of client.getQueriesData<EventPage>({ queryKey: ['events', name] })) {
    const row = page?.events.find((each) => each.id === id);
    if (row) return row;
  }
}

function refresh(name: string): void {
  void client.invalidateQueries({ queryKey: ['tags', name] });
  // What was searched for by its marks is asked anew the next time; a row that is being looked at
  // does not vanish under the hand that unmarks it.
  void client.invalidateQueries({
    refetchType: 'none',
    predicate: ({ queryKey: [kind, of, asked] }) =>
      of === name && SEARCHES.has(String(kind)) && byMarks((asked as Asked).q),
  });
}

function complain(error: unknown): void {
  const problem = error instanceof Failure ? error.problem : null;
  notifications.show({
    color: 'red',
    title: 'Nothing was marked',
    message: [problem?.detail, problem?.advice].filter(Boolean).join(' ') || String(error),
  });
}

/** What takes marks back again, for the events that the page knows. */
function contrary(name: string, marks: Marks): Marks[] {
  const found = new Map<string, Marks>();
  for (const id of marks.ids) {
    const row = latest(name, id);
    if (!row) continue;
    const had = new Set(row.tags);
    const back = {
      star: marks.star === undefined || marks.star === null ? undefined : row.starred,
      add_tags: (marks.remove_tags ?? []).filter((tag) => had.has(tag)),
      remove_tags: (marks.add_tags ?? []).filter((tag) => !had.has(tag)),
    };
    const alike = JSON.stringify(back);
    const known = found.get(alike) ?? { ...back, ids: [] };
    known.ids.push(id);
    found.set(alike, known);
  }
  return [...found.values()];
}

/** Stars or tags events. The page shows it before the server has answered. */
export function mark(name: string, marks: Marks): Promise<void> {
  if (marks.ids.length === 0) return Promise.resolve();
  const leave = mayNow('mark', name);
  if (!leave.may) {
    notifications.show({ color: 'red', title: 'Nothing was marked', message: leave.why });
    return Promise.resolve();
  }
  const one: Undo = { name, shown: contrary(name, marks), kept: null };
  undos.push(one);
  const arrived = show(name, [marks]);
  return inTurn(() => send(one, marks, arrived));
}

/** Stars an event, or takes the star away. */
export function toggleStar(name: string, id: string): Promise<void> {
  return mark(name, { ids: [id], star: !latest(name, id)?.starred });
}

/** Puts marks on the screen; the answer says whether they have arrived at the server. */
function show(name: string, all: Marks[]): (really: boolean) => void {
  for (const marks of all) patch(name, marks);
  const arrivals = all.map((marks) => sending(name, marks));
  return (really) => {
    for (const arrived of arrivals) arrived(really);
  };
}

function refused(name: string, error: unknown): void {
  complain(error);
  look(name);
}

/** Asks anew for what is on the screen. */
function look(name: string): void {
  void client.invalidateQueries({ queryKey: ['events', name] });
  void client.invalidateQueries({ queryKey: ['event', name] });
}

type Arrived = (really: boolean) => void;

async function send(one: Undo, marks: Marks, arrived: Arrived): Promise<void> {
  const { name } = one;
  try {
    const where = address(['cases', name, 'marks']);
    const answer = await ask<{ changed: number; undo: Marks }>('POST', where, { body: marks });
    arrived(true);
    one.kept = answer.undo;
    // What somebody else had marked already is nothing that an undo takes off the screen.
    one.shown = parts(answer.undo);
    refresh(name);
  } catch (error) {
    arrived(false);
    forget(one);
    refused(name, error);
  }
}

/** The changes of an undo, each of some events. */
function parts(kept: Marks & { changes?: Partial<Marks>[] }): Marks[] {
  return [kept, ...(kept.changes ?? [])]
    .map((each) => ({ ...each, ids: each.ids ?? [] }))
    .filter((each) => each.ids.length > 0);
}

function eventsOf(all: Marks[]): Set<string> {
  return new Set(all.flatMap((each) => each.ids));
}

function forget(one: Undo): void {
  const at = undos.indexOf(one);
  if (at >= 0) undos.splice(at, 1);
}

/** Takes back the last star or tag of this case, on the screen at once. */
export function undo(name: string): Promise<void> {
  const last = undos.findLast((each) => each.name === name);
  if (!last) {
    notifications.show({ message: 'There is nothing to undo.' });
    return Promise.resolve();
  }
  forget(last);
  const shown = last.shown;
  const arrived = show(name, shown);
  return inTurn(() => takeBack(last, shown, arrived));
}

async function takeBack(last: Undo, shown: Marks[], arrived: Arrived): Promise<void> {
  const { name, kept } = last;
  // What was refused is not there to be taken back.
  if (!kept) return arrived(false);
  try {
    const where = address(['cases', name, 'marks']);
    const answer = await ask<{ changed: number }>('POST', where, { body: kept });
    arrived(true);
    const exact = parts(kept);
    const events = eventsOf(exact);
    const guessed = eventsOf(shown);
    const alike = guessed.size === events.size && [...events].every((id) => guessed.has(id));
    if (alike && answer.changed === events.size) show(name, exact)(true);
    // Others have marked the same meanwhile: what is there now, the server knows.
    else look(name);
    refresh(name);
    notifications.show({
      message:
        answer.changed > 0
          ? 'Undone.'
          : 'Nothing is taken away: it was marked so before, or by somebody else since.',
    });
  } catch (error) {
    arrived(false);
    undos.push(last);
    refused(name, error);
  }
}
