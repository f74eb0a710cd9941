// SPDX-License-Identifier: Apache-2.0
// How accounts, alerts, playbooks and runs are asked for.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { address, ask, get } from './client';
import type {
  AlertList,
  AlertWhole,
  Awaiting,
  CloudAccount,
  CloudAction,
  OrganizationWork,
  PlaybookList,
  PlaybookRunAsked,
  PlaybookRunList,
  Proposal,
  Run,
  RunList,
  RunWhole,
  Trial,
  Undoing,
  UnreadList,
} from './contract';

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

/** What runs for organizations in this server, and what ended lately. */
export const organizationWorks = () =>
  queryOptions({
    queryKey: ['organizations', 'work'],
    queryFn: ({ signal }) => get<OrganizationWork[]>(address(['organizations', 'work']), signal),
    refetchInterval: 5000,
  });

/** One of them, live while it runs. */
export const organizationWork = (job: string) =>
  queryOptions({
    queryKey: ['organizations', 'work', job],
    queryFn: ({ signal }) => get<OrganizationWork>(address(['organizations', 'work', job]), signal),
    refetchInterval: (query) => (query.state.data?.progress.state === 'running' ? 500 : false),
    enabled: job !== '',
    retry: false,
  });

const LOOK = 1000;
const REST = 10_000;
const going = (one: Run) => one.state === 'applying' || one.state === 'releasing' || one.working;

/** Which runs of a list are shown; empty: all of them. */
export type Only = '' | 'going' | 'isolated' | 'failed' | 'released';

const STATES: Record<Only, { state?: string[]; verb?: string }> = {
  '': {},
  going: { state: ['applying', 'releasing'] },
  isolated: { state: ['done'], verb: 'isolate' },
  failed: { state: ['failed', 'release-failed'] },
  released: { state: ['released'] },
};

/** The runs of a case page by page, the newest first. */
export const runs = (name: string, only: Only) =>
  infiniteQueryOptions({
    queryKey: ['runs', name, 'list', only],
    queryFn: ({ signal, pageParam }) =>
      get<RunList>(
        address(['cases', name, 'runs'], { ...STATES[only], before: pageParam }),
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.runs.some(going)) ? LOOK : REST,
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

/** Alerts page by page, the last that came first. */
export const alerts = () =>
  infiniteQueryOptions({
    queryKey: ['alerts', 'list'],
    queryFn: ({ signal, pageParam }) =>
      get<AlertList>(address(['alerts'], { limit: 100, before: pageParam }), signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
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
  infiniteQueryOptions({
    queryKey: ['alerts', 'unread'],
    queryFn: ({ signal, pageParam }) =>
      get<UnreadList>(address(['alerts', 'unread'], { before: pageParam }), signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
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

const booksOf = (name: string) => (name ? ['cases', name, 'playbook-runs'] : ['playbook-runs']);

/** The states in which a run of a playbook does not wait for people. */
export const PLAYBOOK_STATES = ['due', 'done', 'failed', 'refused', 'lapsed'];

/** Runs of playbooks that wait for people, of a case, or of all of them when none is named. */
export const waitingRuns = (name: string) =>
  infiniteQueryOptions({
    queryKey: ['playbook-runs', name, 'waiting'],
    queryFn: ({ signal, pageParam }) => {
      const asked = { state: ['waiting'], limit: 50, before: pageParam };
      return get<PlaybookRunList>(address(booksOf(name), asked), signal);
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    refetchInterval: ALERTS,
  });

/** The others, page by page, the newest first; in one state only, if one is named. */
export const playbookRuns = (name: string, only: string) =>
  infiniteQueryOptions({
    queryKey: ['playbook-runs', name, 'list', only],
    queryFn: ({ signal, pageParam }) => {
      const state = only ? [only] : PLAYBOOK_STATES;
      const asked = { state, limit: 5, before: pageParam };
      return get<PlaybookRunList>(address(booksOf(name), asked), signal);
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.runs.some((one) => one.state === 'due'))
        ? LOOK
        : ALERTS,
  });

/** The run of a playbook that a run of an action is a step of. */
export const playbookRunOf = (name: string, action: string) =>
  queryOptions({
    queryKey: ['playbook-runs', name, 'of', action],
    queryFn: ({ signal }) => get<PlaybookRunList>(address(booksOf(name), { action }), signal),
  });

/** How much waits for whoever is signed in. */
export const awaiting = (since: string) =>
  queryOptions({
    queryKey: ['awaiting', since],
    queryFn: ({ signal }) => get<Awaiting>(address(['awaiting'], { since }), signal),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
    retry: false,
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
