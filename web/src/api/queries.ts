// SPDX-License-Identifier: Apache-2.0
// One place that says how each thing is asked for and under which key it is kept.
import { keepPreviousData, QueryClient, queryOptions } from '@tanstack/react-query';
import { address, ask, Failure, get } from './client';
import type {
  About,
  Alert,
  AlertWhole,
  Bundles,
  Case,
  CaseGrants,
  CloudAccount,
  CloudAction,
  Comment,
  Count,
  CustodyEntry,
  CustodyOverview,
  CustodyState,
  EntryProved,
  EventPage,
  EvidenceItem,
  EvidenceList,
  ExhibitList,
  ExhibitWhole,
  Facet,
  Field,
  FullEvent,
  Grant,
  Group,
  Histogram,
  Keeping,
  Neighbours,
  Person,
  PlaybookList,
  PlaybookRun,
  PlaybookRunAsked,
  Proposal,
  RoleTable,
  Run,
  RunWhole,
  SavedSearch,
  Tally,
  Token,
  Trial,
  Undoing,
  Unread,
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

export const evidenceCustody = (name: string, id: string) =>
  queryOptions({
    queryKey: ['custody', name, id],
    queryFn: ({ signal }) =>
      get<CustodyEntry[]>(address(['cases', name, 'evidence', id, 'custody']), signal),
  });

/** Which entries of the ledger are asked for; the empty case is the installation. */
export interface EntriesAsked {
  evidence?: string;
  whole?: boolean;
  verb?: string[];
  actor?: string;
}

export const ENTRIES_WINDOW = 200;

const entriesOf = (name: string) =>
  name ? ['cases', name, 'custody', 'entries'] : ['custody', 'entries'];

export const custodyEntries = (
  name: string,
  asked: EntriesAsked,
  before: number | null,
  signal: AbortSignal,
) => {
  const parameters = { ...asked, limit: ENTRIES_WINDOW, before };
  return get<CustodyEntry[]>(address(entriesOf(name), parameters), signal);
};

export const custodyEntry = (name: string, sequence: number) =>
  queryOptions({
    queryKey: ['custody-entry', name, sequence],
    queryFn: ({ signal }) => get<EntryProved>(address([...entriesOf(name), sequence]), signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const custodyTally = (name: string) =>
  queryOptions({
    queryKey: ['custody', name, 'tally'],
    queryFn: ({ signal }) =>
      get<Tally>(
        address(name ? ['cases', name, 'custody', 'tally'] : ['custody', 'tally']),
        signal,
      ),
  });

export const custodyOverview = () =>
  queryOptions({
    queryKey: ['custody-overview'],
    queryFn: ({ signal }) => get<CustodyOverview>(address(['custody']), signal),
  });

export const EXHIBITS_WINDOW = 500;

export const exhibitsPage = (
  name: string,
  q: string,
  only: string,
  offset: number,
  signal: AbortSignal,
) => {
  const parameters = { q, only, limit: EXHIBITS_WINDOW, offset };
  return get<ExhibitList>(address(['cases', name, 'exhibits'], parameters), signal);
};

export const exhibit = (name: string, evidence: string) =>
  queryOptions({
    queryKey: ['custody', name, 'exhibit', evidence],
    queryFn: ({ signal }) =>
      get<ExhibitWhole>(address(['cases', name, 'exhibits', evidence]), signal),
  });

export const keeping = (name: string) =>
  queryOptions({
    queryKey: ['custody', name, 'keeping'],
    queryFn: ({ signal }) => get<Keeping>(address(['cases', name, 'keeping']), signal),
  });

export const verification = (name: string) =>
  queryOptions({
    queryKey: ['custody', name, 'verification'],
    queryFn: ({ signal }) => get<CustodyState>(address(['cases', name, 'verification']), signal),
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

export const histogram = (name: string, asked: Asked, buckets: number) =>
  queryOptions({
    queryKey: ['histogram', name, asked, buckets],
    queryFn: async ({ signal }) => {
      await arrived(asked.q);
      const parameters = { ...asked, buckets, by: 'source' };
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

export const cloudAccounts = () =>
  queryOptions({
    queryKey: ['accounts'],
    queryFn: ({ signal }) => get<CloudAccount[]>(address(['accounts']), signal),
  });

export const cloudActions = () =>
  queryOptions({
    queryKey: ['actions'],
    queryFn: ({ signal }) => get<CloudAction[]>(address(['actions']), signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What is asked to be done to which target. */
export interface Ordered {
  verb: 'collect' | 'isolate';
  target: string;
  account: string;
  region: string;
  options: Record<string, boolean | string>;
}

/** Plans are made from what is there now, so none is kept. */
export const proposals = (name: string, order: Ordered) =>
  queryOptions({
    queryKey: ['plans', name, order],
    queryFn: ({ signal }) =>
      ask<Proposal[]>('POST', address(['cases', name, 'plans']), { body: order, signal }),
    placeholderData: (known, before) =>
      (before?.queryKey[2] as Ordered | undefined)?.target === order.target ? known : undefined,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });

const LOOK = 1000;
const REST = 10_000;
const going = (one: Run) => one.state === 'applying' || one.state === 'releasing' || one.working;

export const runs = (name: string) =>
  queryOptions({
    queryKey: ['runs', name],
    queryFn: ({ signal }) => get<Run[]>(address(['cases', name, 'runs']), signal),
    refetchInterval: (query) => (query.state.data?.some(going) ? LOOK : REST),
  });

export const oneRun = (name: string, run: string) =>
  queryOptions({
    queryKey: ['runs', name, run],
    queryFn: ({ signal }) => get<RunWhole>(address(['cases', name, 'runs', run]), signal),
    refetchInterval: (query) => (query.state.data && going(query.state.data) ? LOOK : REST),
  });

export const undoing = (name: string, run: string) =>
  queryOptions({
    queryKey: ['undoing', name, run],
    queryFn: ({ signal }) =>
      get<Undoing[]>(address(['cases', name, 'runs', run, 'release']), signal),
    staleTime: 0,
    gcTime: 0,
  });

export const alerts = () =>
  queryOptions({
    queryKey: ['alerts'],
    queryFn: ({ signal }) => get<Alert[]>(address(['alerts']), signal),
    refetchInterval: ALERTS,
  });

export const oneAlert = (id: string) =>
  queryOptions({
    queryKey: ['alerts', id],
    queryFn: ({ signal }) => get<AlertWhole>(address(['alerts', id]), signal),
    refetchInterval: ALERTS,
  });

const ALERTS = 3000;

export const unreadAlerts = () =>
  queryOptions({
    queryKey: ['alerts', 'unread'],
    queryFn: ({ signal }) => get<Unread[]>(address(['alerts', 'unread']), signal),
  });

export const playbooks = () =>
  queryOptions({
    queryKey: ['playbooks'],
    queryFn: ({ signal }) => get<PlaybookList>(address(['playbooks']), signal),
  });

export const trials = (name: string) =>
  queryOptions({
    queryKey: ['playbooks', name, 'trials'],
    queryFn: ({ signal }) => get<Trial[]>(address(['playbooks', name, 'trials']), signal),
    staleTime: 0,
  });

/** Runs of playbooks of a case, or of all of them when none is named. */
export const playbookRuns = (name: string) =>
  queryOptions({
    queryKey: ['playbook-runs', name],
    queryFn: ({ signal }) =>
      get<PlaybookRun[]>(
        address(name ? ['cases', name, 'playbook-runs'] : ['playbook-runs']),
        signal,
      ),
    refetchInterval: (query) =>
      query.state.data?.some((one) => one.state === 'due') ? LOOK : ALERTS,
  });

/** What a run asks people about, as it would be done now; they agree to exactly that. */
export const askedPlan = (name: string, run: string) =>
  queryOptions({
    queryKey: ['playbook-runs', name, run, 'plan'],
    queryFn: ({ signal }) =>
      get<PlaybookRunAsked>(address(['cases', name, 'playbook-runs', run, 'plan']), signal),
    staleTime: 0,
    gcTime: 0,
    retry: false,
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
