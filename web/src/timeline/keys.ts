// SPDX-License-Identifier: Apache-2.0
import { useEffect, useLayoutEffect, useRef } from 'react';
import { taken } from '../shell/asked';

export interface Actions {
  move: (by: number) => void;
  edge: (end: boolean) => void;
  open: () => void;
  escape: () => void;
  markRow: (range: boolean) => void;
  star: () => void;
  tag: () => void;
  search: () => void;
  undo: () => void;
  prove: () => void;
  facets: () => void;
  turn: () => void;
  page: number;
}

/** The keys of the timeline, wherever the focus is, unless something is typed or asked. */
export function useKeys(actions: Actions): void {
  const latest = useRef(actions);
  // What is on the screen is what a key means, not what is being prepared to be shown.
  useLayoutEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || taken(event)) return;
      const now = latest.current;
      const onButton = event.target instanceof HTMLElement && event.target.closest('button,a');
      const run = new Map<string, () => void>([
        ['j', () => now.move(1)],
        ['ArrowDown', () => now.move(1)],
        ['k', () => now.move(-1)],
        ['ArrowUp', () => now.move(-1)],
        ['PageDown', () => now.move(now.page)],
        ['PageUp', () => now.move(-now.page)],
        ['g', () => now.edge(false)],
        ['Home', () => now.edge(false)],
        ['G', () => now.edge(true)],
        ['End', () => now.edge(true)],
        ['o', now.open],
        ['Enter', now.open],
        ['Escape', now.escape],
        ['x', () => now.markRow(false)],
        ['X', () => now.markRow(true)],
        ['s', now.star],
        ['t', now.tag],
        ['/', now.search],
        ['z', now.undo],
        ['p', now.prove],
        ['[', now.facets],
        ['r', now.turn],
      ]);
      if (event.key === 'Enter' && onButton) return;
      const action = run.get(event.key);
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);
}
