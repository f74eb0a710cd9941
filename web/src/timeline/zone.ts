// SPDX-License-Identifier: Apache-2.0
// The zone of times is part of what a link shows: a date in the query is another day elsewhere.
import { useEffect, useLayoutEffect } from 'react';
import { choseZone, lendZone, useOwnZone } from '../theme/preferences';
import { type Address, landed } from './address';

/** Shows times as the address says, and says in the address how they are shown, unless in UTC. */
export function useZoneOfAddress(address: Address, look: (change: Partial<Address>) => void): void {
  const own = useOwnZone();
  const { q, zone } = address;
  useLayoutEffect(() => {
    lendZone(zone ?? null);
  }, [zone]);
  useLayoutEffect(() => () => lendZone(null), []);
  useEffect(() => {
    if (zone || own === 'UTC') return;
    const [opened] = performance.getEntriesByType('navigation');
    const utc = !choseZone() && landed(opened?.name ?? '', window.location.pathname, q);
    look({ zone: utc ? 'UTC' : own });
  }, [zone, own, q, look]);
}
