// SPDX-License-Identifier: Apache-2.0
// Stars and tags: sent to the server, shown at once, and taken back with one key.
import { notifications } from '@mantine/notifications';
import { address, ask, Failure } from '../api/client';
import type { EventPage, EventRow, FullEvent, Marks } from '../api/contract';
import { type Asked, client } from '../api/queries';
import { marked, sending } from '../api/unsettled';

const SEARCHES = new Set(['events', 'count', 'histogram', 'facets']);
const undos: { name: string; undo: Marks }[] = [];

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
      of === name && SEARCHES.has(String(kind)) && /\b(tag|starred)\b/.test((asked as Asked).q),
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

// One after the other, so that an undo always finds what the change before it has done.
let queue: Promise<void> = Promise.resolve();

function inTurn(what: () => Promise<void>): Promise<void> {
  queue = queue.then(what);
  return queue;
}

/** Stars or tags events. The page shows it before the server has answered. */
export function mark(name: string, marks: Marks): Promise<void> {
  if (marks.ids.length === 0) return Promise.resolve();
  patch(name, marks);
  const arrived = sending(name, marks);
  return inTurn(() => send(name, marks, arrived));
}

/** Stars an event, or takes the star away. */
export function toggleStar(name: string, id: string): Promise<void> {
  return mark(name, { ids: [id], star: !latest(name, id)?.starred });
}

async function send(name: string, marks: Marks, arrived: (really: boolean) => void): Promise<void> {
  try {
    const where = address(['cases', name, 'marks']);
    const answer = await ask<{ changed: number; undo: Marks }>('POST', where, { body: marks });
    arrived(true);
    if (answer.changed > 0) undos.push({ name, undo: answer.undo });
    refresh(name);
  } catch (error) {
    arrived(false);
    complain(error);
    void client.invalidateQueries({ queryKey: ['events', name] });
    void client.invalidateQueries({ queryKey: ['event', name] });
  }
}

/** Takes back the last star or tag of this case. */
export function undo(name: string): Promise<void> {
  return inTurn(() => takeBack(name));
}

async function takeBack(name: string): Promise<void> {
  const at = undos.findLastIndex((each) => each.name === name);
  const last = undos[at];
  if (!last) {
    notifications.show({ message: 'There is nothing to undo.' });
    return;
  }
  undos.splice(at, 1);
  try {
    await ask('POST', address(['cases', name, 'marks']), { body: last.undo });
    for (const one of [last.undo, ...(last.undo.changes ?? [])]) {
      const back = { ...one, ids: one.ids ?? [] };
      sending(name, back)(true);
      patch(name, back);
    }
    refresh(name);
    notifications.show({ message: 'Undone.' });
  } catch (error) {
    undos.splice(at, 0, last);
    complain(error);
  }
}
