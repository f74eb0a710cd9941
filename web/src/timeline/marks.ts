// SPDX-License-Identifier: Apache-2.0
// Stars and tags: sent to the server, shown at once, and taken back with one key.
import { notifications } from '@mantine/notifications';
import { address, ask, Failure } from '../api/client';
import type { EventPage, EventRow, FullEvent, Marks } from '../api/contract';
import { client } from '../api/queries';

const undos: { name: string; undo: Marks }[] = [];

function marked<Row extends EventRow>(row: Row, marks: Marks): Row {
  const tags = new Set(row.tags);
  for (const tag of marks.add_tags ?? []) tags.add(tag);
  for (const tag of marks.remove_tags ?? []) tags.delete(tag);
  return { ...row, starred: marks.star ?? row.starred, tags: [...tags] };
}

function patch(name: string, marks: Marks): void {
  const ids = new Set(marks.ids);
  client.setQueriesData<EventPage>({ queryKey: ['events', name] }, (page) =>
    page?.events.some((row) => ids.has(row.id))
      ? { ...page, events: page.events.map((row) => (ids.has(row.id) ? marked(row, marks) : row)) }
      : page,
  );
  for (const id of marks.ids.slice(0, 50)) {
    client.setQueryData<FullEvent>(['event', name, id], (one) => one && marked(one, marks));
  }
}

function refresh(name: string): void {
  void client.invalidateQueries({ queryKey: ['tags', name] });
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
  return inTurn(() => send(name, marks));
}

async function send(name: string, marks: Marks): Promise<void> {
  try {
    const where = address(['cases', name, 'marks']);
    const answer = await ask<{ changed: number; undo: Marks }>('POST', where, { body: marks });
    if (answer.changed > 0) undos.push({ name, undo: answer.undo });
    refresh(name);
  } catch (error) {
    complain(error);
    void client.invalidateQueries({ queryKey: ['events', name] });
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
      patch(name, { ...one, ids: one.ids ?? [] });
    }
    refresh(name);
    notifications.show({ message: 'Undone.' });
  } catch (error) {
    complain(error);
  }
}
