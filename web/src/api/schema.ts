// SPDX-License-Identifier: Apache-2.0
// Written by `npm run types` from openapi.json; not by hand.

/** This installation; `confinement` says which walls stand around the parsing workers. */
export interface About {
  version: string;
  confinement: string;
}

/**
 * A case in numbers. `problems` are events that carry a problem; `first` and `last` are the
 * ends of its dated events.
 */
export interface CaseShown {
  name: string;
  title: string;
  created: string;
  created_by: string;
  simulated: boolean;
  events: number;
  evidence: number;
  bytes: number;
  problems: number;
  undated: number;
  sightings: number;
  first: string | null;
  last: string | null;
  sources: SourceCount[];
  stages: Record<string, number>;
  jobs_running: number;
  failed: FailedEvidence[];
}

/** A query to be checked. */
export interface Check {
  q: string;
  zone?: string;
}

/** Whether a query can be understood and, when not, where the mistake is. */
export interface Checked {
  ok: boolean;
  message?: string;
  position?: number;
  length?: number;
  suggestion?: string;
}

/** A comment; `own` says whether whoever asks may remove it. */
export interface CommentShown {
  n: number;
  author: string;
  time: string;
  text: string;
  own: boolean;
}

/** How many events match; `undated` of them have no time. */
export interface Counted {
  count: number;
  undated: number;
  took_ms: number;
  notes: string[];
}

/** What a person types in. */
export interface Credentials {
  username: string;
  password: string;
}

/** A column in which the row is not what the evidence says. */
export interface Difference {
  column: string;
  row: string;
  evidence: string;
}

/** An entry of the custody ledger; `name` is that of the evidence, as far as it is known. */
export interface Entry {
  sequence: number;
  time: string;
  actor: string;
  verb: string;
  evidence: string;
  name: string | null;
  case: string;
  reason: string;
  details: Record<string, string>;
  previous: string;
  hash: string;
}

/** A page of events; `next` and `previous` are cursors of the pages beside it. */
export interface EventPage {
  events: EventRow[];
  next: string | null;
  previous: string | null;
  notes: string[];
  took_ms: number;
}

/** An event in a list. */
export interface EventRow {
  time_ns: string | null;
  tags: string[];
  starred: boolean;
  comments: number;
  id: string;
  time: string | null;
  time_meaning: string;
  source: string;
  source_version: string;
  provider: string;
  account: string;
  region: string;
  host: string;
  actor: string;
  actor_kind: string;
  session: string;
  action: string;
  outcome: string;
  error: string;
  resource: string;
  src_ip: string;
  src_port: number;
  dst_ip: string;
  dst_port: number;
  process: string;
  file: string;
  hash: string;
  domain: string;
  url: string;
  message: string;
  evidence: string;
  locator: string;
  problem: string;
}

/** An event with everything; `raw_base64` is there when the record is not UTF-8 text. */
export interface EventWhole {
  time_ns: string | null;
  tags: string[];
  starred: boolean;
  comments: number;
  id: string;
  time: string | null;
  time_meaning: string;
  source: string;
  source_version: string;
  provider: string;
  account: string;
  region: string;
  host: string;
  actor: string;
  actor_kind: string;
  session: string;
  action: string;
  outcome: string;
  error: string;
  resource: string;
  src_ip: string;
  src_port: number;
  dst_ip: string;
  dst_port: number;
  process: string;
  file: string;
  hash: string;
  domain: string;
  url: string;
  message: string;
  evidence: string;
  locator: string;
  problem: string;
  attributes: Record<string, string>;
  raw: string;
  raw_base64: string | null;
  provenance: Provenance;
}

/** A piece of evidence. Records seen = rows + problems. `id` is the SHA-256 of its bytes. */
export interface Evidence {
  id: string;
  name: string;
  places: string[];
  parent: string | null;
  member: string | null;
  size: number;
  kind: string;
  layers: string;
  parser: string | null;
  parser_version: string | null;
  state: string;
  reason: string | null;
  attempts: number;
  seen: number;
  rows: number;
  problems: number;
  troubles: string[];
  check: string;
  sha256: string;
  blake2b: string;
  added: string;
  added_by: string;
  confinement: string | null;
}

/** A page of evidence, and how much there is in all. */
export interface EvidenceList {
  evidence: Evidence[];
  total: number;
}

/** The most frequent values of a field; `other` events have a further one, `empty` none. */
export interface FacetShown {
  values: ValueCount[];
  other: number;
  empty: number;
}

/** A piece of evidence that could not be parsed, and why. */
export interface FailedEvidence {
  id: string;
  name: string;
  reason: string;
}

/** A part of the request that does not fit. */
export interface Fault {
  where: string;
  message: string;
}

/** A field of events; `query` says whether documentation and completion show it first. */
export interface Field {
  name: string;
  kind: string;
  title: string;
  facet: boolean;
  query: boolean;
}

/** What an export can be. */
export type Format = 'csv' | 'jsonl' | 'parquet';

/** The server answers. */
export interface Health {
  ok: boolean;
}

/**
 * Events over time: `buckets` are the starts in milliseconds since 1970, each `width_ms` long.
 *
 * Counts are by value of the field, further values together under the empty name.
 */
export interface HistogramShown {
  start: string;
  width_ms: number;
  buckets: number[];
  series: Record<string, number[]>;
  undated: number;
  took_ms: number;
  notes: string[];
}

/** The secret of a one-time sign-in link. */
export interface Link {
  token: string;
}

/** A mapping to be saved. */
export interface MappingBody {
  name: string;
  mapping: Record<string, unknown>;
}

/** A saved mapping. */
export interface MappingShown {
  name: string;
  mapping: Record<string, unknown>;
  author: string;
  time: string;
}

/** What is to be said about some events; `star` null leaves the stars as they are. */
export interface MarkChange {
  ids?: string[];
  star?: boolean | null;
  add_tags?: string[];
  remove_tags?: string[];
}

/** One change, and further ones made together with it, such as an undo gives them. */
export interface MarkRequest {
  ids?: string[];
  star?: boolean | null;
  add_tags?: string[];
  remove_tags?: string[];
  changes?: MarkChange[];
}

/** How many events changed, and what to post to the same address to take it back. */
export interface Marked {
  changed: number;
  undo: MarkRequest;
}

/** Events around one event, which stands at `index`; whether there are more on either side. */
export interface Neighbours {
  events: EventRow[];
  index: number;
  before: boolean;
  after: boolean;
}

/** A case to be made. */
export interface NewCase {
  name: string;
  title?: string;
}

/** What somebody says about an event. */
export interface NewComment {
  text: string;
}

/** An API token to be made. */
export interface NewToken {
  name?: string;
  days?: number;
}

/** A user to be made. Without a password only a sign-in link lets the person in. */
export interface NewUser {
  username: string;
  name?: string;
  roles?: ('admin' | 'analyst')[];
  password?: string;
}

/** An archive or image that evidence was taken out of. */
export interface Parent {
  id: string;
  name: string;
}

/** The old password (empty when there was none) and the new one. */
export interface PasswordChange {
  current?: string;
  new: string;
}

/**
 * An error. `message`, `position`, `length` and `suggestion` point at a mistake in a query;
 * `errors` name the parts of a request that do not fit.
 */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  advice: string;
  request_id: string;
  message?: string | null;
  position?: number | null;
  length?: number | null;
  suggestion?: string | null;
  errors?: Fault[] | null;
}

/** The progress of a job: what, how far, how fast, how long still. */
export interface Progress {
  job: string;
  what: string;
  who: string;
  stage: string;
  done: number;
  total: number | null;
  unit: string;
  rate: number;
  left_seconds: number | null;
  state: string;
  started: string;
  ended: string | null;
  log: string[];
  summary: Record<string, number>;
}

/** All steps that were taken, up to the one that failed. */
export interface ProofShown {
  passed: boolean;
  steps: StepShown[];
}

/** Where an event comes from. `parents` goes outwards, from the nearest archive or image. */
export interface Provenance {
  evidence: string;
  name: string;
  parents: Parent[];
  locator: string;
  sha256: string;
  custody_sequence: number | null;
  sightings: Sighting[];
}

/** An upload that is in the vault; `job` parses it, null when a running one will. */
export interface Received {
  job: string | null;
  evidence: Evidence;
}

/** A search to be saved. `from` and `to` stay as given, so that `now-1d` moves on. */
export interface SearchBody {
  name: string;
  q?: string;
  from?: string | null;
  to?: string | null;
  columns?: string[];
  facets?: string[];
}

/** A saved search. */
export interface SearchShown {
  name: string;
  q?: string;
  from?: string | null;
  to?: string | null;
  columns?: string[];
  facets?: string[];
  n: number;
  author: string;
  time: string;
}

/** A further place that holds the same record. */
export interface Sighting {
  evidence: string;
  name: string;
  locator: string;
}

/** A one-time link: the page's address for it is `/sign-in#TOKEN`. */
export interface SignInLink {
  token: string;
  seconds: number;
}

/** Who is signed in. */
export interface SignedIn {
  username: string;
  name: string;
  roles: string[];
}

/** Events of one source. */
export interface SourceCount {
  source: string;
  count: number;
}

/** One step of a proof. */
export interface StepShown {
  name: string;
  passed: boolean;
  detail: string;
  differences: Difference[];
}

/** A tag and how many events have it. */
export interface TagCount {
  tag: string;
  count: number;
}

/** A new token; `token` is the secret, shown this once. */
export interface TokenMade {
  id: number;
  name: string;
  created: string;
  expires: string;
  used: string | null;
  token: string;
}

/** An API token, without its secret. */
export interface TokenShown {
  id: number;
  name: string;
  created: string;
  expires: string;
  used: string | null;
}

/** What is to be different about a user; what is left out stays. */
export interface UserChange {
  name?: string | null;
  roles?: ('admin' | 'analyst')[] | null;
  disabled?: boolean | null;
}

/** A user, never with anything of the password. */
export interface UserShown {
  username: string;
  name: string;
  roles: string[];
  disabled: boolean;
  created: string;
  has_password: boolean;
}

/** A value and how many events have it. */
export interface ValueCount {
  value: string;
  count: number;
}
