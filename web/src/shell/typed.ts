// SPDX-License-Identifier: Apache-2.0
import { useDeferredValue, useEffect, useState } from 'react';

const REST = 300;

/** What is typed into a search field, and, a little later, what is searched and put into the address. */
export function useTyped(first: string, put: (text: string | undefined) => void) {
  const [typed, setTyped] = useState(first);
  const text = useDeferredValue(typed);
  useEffect(() => {
    const timer = window.setTimeout(() => put(typed || undefined), REST);
    return () => window.clearTimeout(timer);
  }, [typed, put]);
  return { typed, setTyped, text };
}
