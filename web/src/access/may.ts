// SPDX-License-Identifier: Apache-2.0
// What the person may do, and why not: the page greys out what the server would refuse, and says
// which role it takes and whom to ask. The server decides all the same.
import { useQuery } from '@tanstack/react-query';
import type { Case, Permission, Person, RoleTable } from '../api/contract';
import { client, oneCase, roles as rolesQuery, session } from '../api/queries';

export interface Leave {
  may: boolean;
  /** A sentence for whoever may not; empty otherwise, and while nothing is known yet. */
  why: string;
}

/** Whether the person may do this: in a case, or in at least one when none is named. */
export function useMay(permission: Permission, name?: string): Leave {
  const me = useQuery(session());
  const one = useQuery({ ...oneCase(name ?? ''), enabled: Boolean(name) });
  const table = useQuery(rolesQuery());
  return judged(permission, name, me.data, one.data, table.data);
}

/** The same, for what is done by a key: from what the page knows already. */
export function mayNow(permission: Permission, name?: string): Leave {
  const me = client.getQueryData<Person>(session().queryKey);
  const one = name ? client.getQueryData<Case>(oneCase(name).queryKey) : undefined;
  return judged(permission, name, me, one, client.getQueryData<RoleTable>(rolesQuery().queryKey));
}

function judged(
  permission: Permission,
  name: string | undefined,
  me: Person | undefined,
  one: Case | undefined,
  table: RoleTable | undefined,
): Leave {
  const held = name ? one?.may : me?.anywhere;
  if (!held || held.includes(permission)) return { may: true, why: '' };
  return { may: false, why: reason(permission, (name ? one?.ask : me?.ask) ?? [], name, table) };
}

/** Which role it takes, and whom to ask for it. */
export function reason(
  permission: Permission,
  ask: string[],
  name: string | undefined,
  table: RoleTable | undefined,
): string {
  const found = table?.permissions.find((each) => each.permission === permission);
  const titles = (table?.roles ?? [])
    .filter((each) => found?.roles.includes(each.role))
    .map((each) => each.title.toLowerCase());
  const where = name ? 'in this case' : found?.installation ? 'in all cases' : 'in a case';
  const takes = titles.length > 0 ? `This takes the role of ${either(titles)} ${where}.` : '';
  const whom =
    ask.length > 0
      ? `Ask ${either(ask.slice(0, 5))}.`
      : 'The owner of this installation can grant it.';
  return `${takes || 'You may not do this.'} ${whom}`;
}

export function either(names: string[]): string {
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${names.at(-1)}` : names.join('');
}
