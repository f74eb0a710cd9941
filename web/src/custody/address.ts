// SPDX-License-Identifier: Apache-2.0
// What the address of a custody page holds: the view, the exhibit, and what is filtered.

export const VIEWS = ['exhibits', 'ledger', 'keeping', 'verify', 'export'] as const;
export type View = (typeof VIEWS)[number];

export interface CustodyAddress {
  view?: View;
  /** Evidence id of the exhibit whose life is shown. */
  id?: string;
  q?: string;
  only?: string;
  /** Which kind of entries: see `KINDS` in telling.ts. */
  kind?: string;
  who?: string;
}

export function readCustodyAddress(search: Record<string, unknown>): CustodyAddress {
  const text = (value: unknown) =>
    typeof value === 'string' && value ? value : typeof value === 'number' ? `${value}` : undefined;
  const view = VIEWS.find((each) => each === search.view && each !== 'exhibits');
  return {
    view,
    id: text(search.id),
    q: text(search.q),
    only: text(search.only),
    kind: text(search.kind),
    who: text(search.who),
  };
}
