// SPDX-License-Identifier: Apache-2.0
// The shapes of the API under the names that the page uses. Times are ISO-8601 in UTC with as many
// digits as the source had; `time_ns` is text because it does not fit a JavaScript number.
import type * as schema from './schema';

export type {
  About,
  AccountShown as CloudAccount,
  ActionShown as CloudAction,
  AlertList,
  AlertShown as Alert,
  AlertWhole,
  Awaiting,
  ClauseShown as Clause,
  Counted as Count,
  CustodyOverview,
  CustodyState,
  DisposalShown as Disposal,
  Entry as CustodyEntry,
  EntryProved,
  EvidenceList,
  ExhibitList,
  ExhibitShown as Exhibit,
  ExhibitWhole,
  FacetShown as Facet,
  Field,
  HistogramShown as Histogram,
  KeepingShown as Keeping,
  MappingShown as Mapping,
  OrganizationWork,
  ParserShown as Parser,
  PartShown as Part,
  PlanShown as DisposalPlan,
  PlaybookList,
  PlaybookRunAsked,
  PlaybookRunList,
  PlaybookRunShown as PlaybookRun,
  PlaybookShown as Playbook,
  ProofShown as Proof,
  ProposalShown as Proposal,
  Received,
  RoleTable,
  RunList,
  RunShown as Run,
  RunWhole,
  SigningShown as Signing,
  StepTaken,
  TallyShown as Tally,
  TrialShown as Trial,
  Undoing,
  UnreadList,
  ValueCount,
} from './schema';

export type Bundle = schema.BundleShown;
export type Bundles = schema.BundleList;
export type Case = schema.CaseShown;
export type Comment = schema.CommentShown;
export type EvidenceItem = schema.Evidence;
export type Marks = schema.MarkRequest & { ids: string[] };
export type CaseGrants = schema.CaseGrants;
export type Grant = schema.GrantShown;
export type Group = schema.GroupShown;
export type Permission = schema.SignedIn['may'][number];
export type Person = schema.SignedIn;
export type Role = schema.GrantShown['role'];
export type Scope = schema.TokenShown['scope'];
export type SavedSearch = Required<schema.SearchShown>;
export type Token = schema.TokenShown & Partial<Pick<schema.TokenMade, 'token'>>;
export type User = schema.UserShown;

/** What the element for long work shows; jobs have it, and so do uploads. */
export type Progress = Omit<schema.Progress, 'who' | 'started' | 'ended' | 'summary' | 'rate'> & {
  rate: number | null;
};

/** A row of the timeline: every column but `raw` and `attributes`. */
export type EventRow = schema.EventRow & { [column: string]: unknown };
export type FullEvent = schema.EventWhole & { [column: string]: unknown };
export type EventPage = Omit<schema.EventPage, 'events'> & { events: EventRow[] };
export type Neighbours = Omit<schema.Neighbours, 'events'> & { events: EventRow[] };

/** An error as RFC 9457 has it, with what our API adds. */
export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail: string;
  advice?: string;
  request_id?: string;
  position?: number;
  length?: number;
  suggestion?: string;
  message?: string;
  /** `code` when signing in takes a code of the second factor too. */
  needs?: string | null;
}
