// SPDX-License-Identifier: Apache-2.0
import { useDeferredValue, useEffect, useRef, useState } from 'react';

const REST = 300;

/** What is typed into a search field, and, a little later, what is searched and put into the address. */
export function useTyped(first: string, put: (text: string | undefined) => void) {
  const [typed, setTyped] = useState(first);
  const text = useDeferredValue(typed);
  const told = useRef(first);
  useEffect(() => {
    // Nothing was typed: the address stays as it was followed, with whatever else it holds.
    if (typed === told.current) return;
    const timer = window.setTimeout(() => {
      told.current = typed;
      put(typed || undefined);
    }, REST);
    return () => window.clearTimeout(timer);
  }, [typed, put]);
  return { typed, setTyped, text };
}
