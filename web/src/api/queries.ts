// SPDX-License-Identifier: Apache-2.0
// One place that says how each thing is asked for and under which key it is kept.
import { keepPreviousData, QueryClient, queryOptions } from '@tanstack/react-query';
import { address, Failure, get } from './client';
import type {
  About,
  Bundles,
  Case,
  CaseGrants,
  Comment,
  Count,
  CustodyEntry,
  EventPage,
  EvidenceItem,
  EvidenceList,
  Facet,
  Field,
  FullEvent,
  Grant,
  Group,
  Histogram,
  Mapping,
  Neighbours,
  Parser,
  Person,
  RoleTable,
  SavedSearch,
  Token,
  User,
  ValueCount,
} from './contract';
import { arrived, asking } from './unsettled';

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (times, error) => {
        if (error instanceof Failure && error.status >= 400 && error.status < 500) return false;
        return times < 2;
      },
    },
  },
});

/** What a search asks for; the same for count, page, histogram and facets. */
export interface Asked {
  q: string;
  from?: string;
  to?: string;
  /** Zone for times in the query that name none. */
  zone?: string;
}

export const session = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => get<Person>(address(['session']), signal),
    staleTime: 300_000,
    retry: false,
  });

export const about = () =>
  queryOptions({
    queryKey: ['about'],
    queryFn: ({ signal }) => get<About>(address(['about']), signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const fields = () =>
  queryOptions({
    queryKey: ['fields'],
    queryFn: ({ signal }) => get<Field[]>(address(['fields']), signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const parsers = () =>
  queryOptions({
    queryKey: ['parsers'],
    queryFn: ({ signal }) => get<Parser[]>(address(['parsers']), signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const mappings = () =>
  queryOptions({
    queryKey: ['mappings'],
    queryFn: ({ signal }) => get<Mapping[]>(address(['mappings']), signal),
  });

export const cases = () =>
  queryOptions({
    queryKey: ['cases'],
    queryFn: ({ signal }) => get<Case[]>(address(['cases']), signal),
  });

export const oneCase = (name: string) =>
  queryOptions({
    queryKey: ['case', name],
    queryFn: ({ signal }) => get<Case>(address(['cases', name]), signal),
  });

export const EVIDENCE_WINDOW = 500;

export const evidencePage = (
  name: string,
  state: string,
  q: string,
  offset: number,
  signal: AbortSignal,
) => {
  const parameters = { state, q, limit: EVIDENCE_WINDOW, offset };
  return get<EvidenceList>(address(['cases', name, 'evidence'], parameters), signal);
};

export const evidenceItem = (name: string, id: string) =>
  queryOptions({
    queryKey: ['evidence-item', name, id],
    queryFn: ({ signal }) => get<EvidenceItem>(address(['cases', name, 'evidence', id]), signal),
  });

const events = (name: string, ...rest: string[]) => ['cases', name, 'events', ...rest];

export const WINDOW = 200;

export const eventCount = (name: string, asked: Asked) =>
  queryOptions({
    queryKey: ['count', name, asked],
    queryFn: async ({ signal }) => {
      await arrived(asked.q);
      return get<Count>(address(events(name, 'count'), { ...asked }), signal);
    },
  });

export const eventWindow = (name: string, asked: Asked, order: string, index: number) => {
  const key = (at: number) => ['events', name, asked, order, at];
  return queryOptions({
    queryKey: key(index),
    queryFn: async ({ signal }) => {
      await arrived(asked.q);
      const known = asking(name);
      // The window before knows a cursor, which costs the same at any depth.
      const cursor = index > 0 ? client.getQueryData<EventPage>(key(index - 1))?.next : undefined;
      const place = cursor ? { cursor } : { offset: index * WINDOW };
      const parameters = { ...asked, order, limit: WINDOW, ...place };
      const page = await get<EventPage>(address(events(name), parameters), signal);
      return { ...page, events: page.events.map(known) };
    },
    gcTime: 120_000,
  });
};

export const histogram = (name: string, asked: Asked, buckets: number, outliers: boolean) =>
  queryOptions({
    queryKey: ['histogram', name, asked, buckets, outliers],
    queryFn: async ({ signal }) => {
      await arrived(asked.q);
      const parameters = { ...asked, buckets, by: 'source', outliers: String(outliers) };
      return get<Histogram>(address(events(name, 'histogram'), parameters), signal);
    },
    placeholderData: keepPreviousData,
  });

export const facets = (name: string, asked: Asked, names: string[], size: number) =>
  queryOptions({
    queryKey: ['facets', name, asked, names, size],
    queryFn: async ({ signal }) => {
      await arrived(asked.q);
      const parameters = { ...asked, fields: names.join(','), size };
      return get<Record<string, Facet>>(address(events(name, 'facets'), parameters), signal);
    },
    placeholderData: keepPreviousData,
  });

export const values = (name: string, field: string, prefix: string) =>
  queryOptions({
    queryKey: ['values', name, field, prefix],
    queryFn: ({ signal }) =>
      get<ValueCount[]>(address(['cases', name, 'values'], { field, prefix, size: 12 }), signal),
    // Values of another field would be taken for values of this one.
    placeholderData: (known, before) => (before?.queryKey[2] === field ? known : undefined),
  });

export const event = (name: string, id: string) =>
  queryOptions({
    queryKey: ['event', name, id],
    queryFn: async ({ signal }) => {
      const known = asking(name);
      return known(await get<FullEvent>(address(events(name, id)), signal));
    },
  });

/** At most `rows` events on each side: no more than are shown are asked for. */
export const neighbours = (name: string, id: string, minutes: number, rows: number) =>
  queryOptions({
    queryKey: ['neighbours', name, id, minutes, rows],
    queryFn: ({ signal }) =>
      get<Neighbours>(address(events(name, id, 'context'), { minutes, rows }), signal),
  });

export const comments = (name: string, id: string) =>
  queryOptions({
    queryKey: ['comments', name, id],
    queryFn: ({ signal }) => get<Comment[]>(address(events(name, id, 'comments')), signal),
  });

export const tags = (name: string) =>
  queryOptions({
    queryKey: ['tags', name],
    queryFn: ({ signal }) =>
      get<{ tag: string; count: number }[]>(address(['cases', name, 'tags']), signal),
  });

export const searches = (name: string) =>
  queryOptions({
    queryKey: ['searches', name],
    queryFn: ({ signal }) => get<SavedSearch[]>(address(['cases', name, 'searches']), signal),
  });

export const bundles = (name: string) =>
  queryOptions({
    queryKey: ['bundles', name],
    queryFn: ({ signal }) => get<Bundles>(address(['cases', name, 'bundles']), signal),
  });

export const tokens = () =>
  queryOptions({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => get<Token[]>(address(['tokens']), signal),
  });

export const users = () =>
  queryOptions({
    queryKey: ['users'],
    queryFn: ({ signal }) => get<User[]>(address(['users']), signal),
  });

export const groups = () =>
  queryOptions({
    queryKey: ['groups'],
    queryFn: ({ signal }) => get<Group[]>(address(['groups']), signal),
  });

export const grants = () =>
  queryOptions({
    queryKey: ['grants'],
    queryFn: ({ signal }) => get<Grant[]>(address(['grants']), signal),
  });

export const caseGrants = (name: string) =>
  queryOptions({
    queryKey: ['grants', name],
    queryFn: ({ signal }) => get<CaseGrants>(address(['cases', name, 'grants']), signal),
  });

export const roles = () =>
  queryOptions({
    queryKey: ['roles'],
    queryFn: ({ signal }) => get<RoleTable>(address(['roles']), signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const peopleCustody = () =>
  queryOptions({
    queryKey: ['people-custody'],
    queryFn: ({ signal }) => get<CustodyEntry[]>(address(['people', 'custody']), signal),
  });

export const ways = () =>
  queryOptions({
    queryKey: ['ways'],
    queryFn: ({ signal }) =>
      get<{ single_sign_on: string | null }>(address(['session', 'ways']), signal),
  });
