// SPDX-License-Identifier: Apache-2.0
// Events that came in since the search was answered. Rows do not move under the hand: they are shown
// when somebody wants them, and at once where there is nothing that could move.
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { client, oneCase } from '../api/queries';

export interface Growth {
  /** How many events the case has more than when the search was answered. */
  more: number;
  show: () => void;
}

/** How many events a case had when it was first looked at after the answer of that time. */
export interface Base {
  answered: number;
  events: number;
}

/** The base of an answer: kept as long as it is the same one, and none before the case was asked. */
export function baseOf(base: Base, answered: number, looked: number, events: number): Base {
  const fresh = answered > 0 && looked > answered && base.answered !== answered;
  return fresh ? { answered, events } : base;
}

export function grown(base: Base, answered: number, events: number): number {
  return answered > 0 && base.answered === answered ? Math.max(0, events - base.events) : 0;
}

/** What a case grew by since `answered`, when `rows` were found; both are of the search's count. */
export function useGrowth(name: string, answered: number, rows: number | undefined): Growth {
  const one = useQuery(oneCase(name));
  const events = one.data?.events ?? 0;
  const [known, setBase] = useState<Base>({ answered: 0, events: 0 });
  const base = baseOf(known, answered, one.dataUpdatedAt, events);
  if (base !== known) setBase(base);
  const show = useCallback(() => {
    for (const key of ['count', 'events', 'histogram', 'facets']) {
      void client.invalidateQueries({ queryKey: [key, name] });
    }
  }, [name]);
  const nothing = rows === 0 && events > 0 && one.dataUpdatedAt > answered;
  useEffect(() => {
    if (nothing) show();
  }, [nothing, show]);
  return { more: rows === 0 ? 0 : grown(base, answered, events), show };
}
