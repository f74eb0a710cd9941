// SPDX-License-Identifier: Apache-2.0
// How the ledger, exhibits and what is kept are asked for.
import { queryOptions } from '@tanstack/react-query';
import { address, get } from './client';
import type {
  CustodyEntry,
  CustodyOverview,
  CustodyState,
  EntryProved,
  ExhibitList,
  ExhibitWhole,
  Keeping,
  Tally,
} from './contract';

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
