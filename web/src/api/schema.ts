// SPDX-License-Identifier: Apache-2.0
// Written by `npm run types` from openapi.json; not by hand.

/** This installation; `confinement` says which walls stand around the parsing workers. */
export interface About {
  version: string;
  confinement: string;
}

/**
 * An account. `external_id` is told to those only who may change settings; `simulated` says
 * that its API is not the provider's own.
 */
export interface AccountShown {
  name: string;
  provider: string;
  number: string;
  role: string;
  external_id: string;
  regions: string[];
  protected: string[];
  simulated: boolean;
  added: string;
  added_by: string;
}

/**
 * What can be done to targets of a kind. `names` is a regular expression of their names, with a
 * group `id`; `loses` are the collections that have to come before.
 */
export interface ActionShown {
  id: string;
  verb: string;
  provider: string;
  title: string;
  about: string;
  kind: string;
  names: string;
  regional: boolean;
  volatility: number;
  harm: string;
  loses: string[];
  options: OptionShown[];
}

/** Somebody agrees to the plan of this digest, as it was shown to them, and to no other. */
export interface Agreement {
  reason: string;
  plan: string;
}

/**
 * A page of alerts, the last that came first. `next` is where the list goes on, null at its
 * end. One that comes again meanwhile stands at the beginning of the list then.
 */
export interface AlertList {
  alerts: AlertShown[];
  next: string | null;
  total: number;
}

/**
 * An alert. `placed` says why it is in its case, `sightings` how often it was said, `playbooks`
 * how many runs of playbooks it set off.
 */
export interface AlertShown {
  id: string;
  source: string;
  original: string;
  kind: string;
  severity: string;
  title: string;
  time: string;
  account: string;
  region: string;
  targets: TargetShown[];
  state: string;
  link: string;
  case: string;
  placed: string;
  sightings: number;
  first: string;
  last: string;
  by: string;
  door: string;
  notes: string[];
  playbooks: number;
}

/** An alert with all that the source said, the evidence that keeps it, and what it set off. */
export interface AlertWhole {
  id: string;
  source: string;
  original: string;
  kind: string;
  severity: string;
  title: string;
  time: string;
  account: string;
  region: string;
  targets: TargetShown[];
  state: string;
  link: string;
  case: string;
  placed: string;
  sightings: number;
  first: string;
  last: string;
  by: string;
  door: string;
  notes: string[];
  playbooks: number;
  content: unknown;
  evidence: string[];
  runs: PlaybookRunShown[];
}

/**
 * One person's word about a run of a playbook. What was said about an earlier plan, or before
 * the run lapsed, does not count any more (`counts`).
 */
export interface ApprovalShown {
  who: string;
  agrees: boolean;
  reason: string;
  time: string;
  counts: boolean;
}

/** An authority that evidence was taken in under; the last one is in force. */
export interface AuthorityShown {
  kind: string;
  reference: string;
  issued_by: string;
  valid_from: string;
  valid_to: string;
  scope: string;
  set: string;
  set_by: string;
}

/**
 * What is there for whoever asks: runs that wait for their word, and alerts that they have not
 * seen.
 */
export interface Awaiting {
  approvals: number;
  alerts: number;
}

/** Where the browser goes to sign in. */
export interface Away {
  address: string;
}

/** Why; it goes into the ledger. */
export interface Because {
  reason?: string;
}

/** The name that the bundle will be kept under when its job has ended. */
export interface BundleBegun {
  name: string;
}

/**
 * The bundles that lie ready, and the key that a receiver has to compare.
 *
 * `fingerprint` is of the key that the ledger was begun with, to be told by another way.
 */
export interface BundleList {
  fingerprint: string;
  bundles: BundleShown[];
}

/** A bundle that lies ready. */
export interface BundleShown {
  name: string;
  size: number;
  made: string;
}

/** Custody of one case in numbers; `waiting` are disposals that wait for a second person. */
export interface CaseCustody {
  name: string;
  title: string;
  exhibits: number;
  entries: number;
  last: string | null;
  held: boolean;
  until: string | null;
  waiting: number;
  verified: string | null;
  passed: boolean | null;
}

/** The grants that reach a case, those for all cases included, and whom more can be given to. */
export interface CaseGrants {
  grants: GrantShown[];
  users: string[];
  groups: string[];
}

/**
 * A case in numbers. `problems` are events that carry a problem; `first` and `last` are the
 * ends of its dated events; `may` is what whoever asks may do in it, `ask` who grants more.
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
  may: Permission[];
  ask: string[];
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

/** One thing that was looked at: pass, fail or not checked. */
export interface ClauseShown {
  name: string;
  state: string;
  detail: string;
  where: string;
}

/** A comment; `own` says whether whoever asks may remove it. */
export interface CommentShown {
  n: number;
  author: string;
  time: string;
  text: string;
  own: boolean;
}

/** A code that the authenticator app shows now; to turn it off, a recovery code will do too. */
export interface Confirmation {
  code: string;
}

/** How many events match; `undated` of them have no time. */
export interface Counted {
  count: number;
  undated: number;
  took_ms: number;
  notes: string[];
}

/** What a person types in; `code` is that of the second factor, or a recovery code. */
export interface Credentials {
  username: string;
  password: string;
  code?: string;
}

/** Custody of every case that whoever asks may see. `installation` counts entries about none. */
export interface CustodyOverview {
  cases: CaseCustody[];
  signing: SigningShown;
  installation: number;
}

/**
 * The last verification of a case, and the key and time stamps of the ledger.
 *
 * `broken` says why the latter cannot be read when the ledger was changed.
 */
export interface CustodyState {
  verification: VerificationShown | null;
  signing: SigningShown | null;
  broken?: string;
}

/** A column in which the row is not what the evidence says. */
export interface Difference {
  column: string;
  row: string;
  evidence: string;
}

/** A disposal that somebody asked for: asked, agreed (being carried out), done or refused. */
export interface DisposalShown {
  number: number;
  exhibits: number;
  evidence: string[];
  reason: string;
  asked: string;
  asked_by: string;
  standing: Standing;
  decided: string | null;
  decided_by: string;
  decided_reason: string;
}

/**
 * An entry of the custody ledger; `name` is that of the evidence, as far as it is known.
 * `door` and `address` say through which door and from where the actor came.
 */
export interface Entry {
  sequence: number;
  time: string;
  actor: string;
  door: string;
  address: string;
  verb: string;
  evidence: string;
  name: string | null;
  case: string;
  reason: string;
  details: Record<string, string>;
  previous: number;
  hash: string;
  exhibit: string;
  agent: string;
}

/** An entry as it was signed, with the hashes that lead from it to the head of the ledger. */
export interface EntryProved {
  entry: Entry;
  envelope: string;
  statement: string;
  key: string;
  fingerprint: string;
  leaf: string;
  size: number;
  path: string[];
  root: string;
  head: string;
  checkpoint: StampedShown | null;
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

/**
 * A piece of evidence. Records seen = rows + problems. `id` is the SHA-256 of its bytes.
 *
 * `copy_of_it` of a disk's triage is the id of the full copy, once that has its rows.
 */
export interface Evidence {
  id: string;
  name: string;
  places: string[];
  parent: string | null;
  member: string | null;
  size: number;
  kind: string;
  layers: string;
  copy_of_it: string | null;
  parser: string | null;
  parser_version: string | null;
  state: string;
  reason: string | null;
  attempts: number;
  seen: number;
  rows: number;
  problems: number;
  troubles: string[];
  passed: string[];
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

/** A page of exhibits, and how many there are in all. */
export interface ExhibitList {
  exhibits: ExhibitShown[];
  total: number;
}

/**
 * An exhibit in a list. `state` is kept, held, disposal asked or disposed; `parent` is the
 * number of the exhibit that it was taken out of; `entries` are those about it alone.
 */
export interface ExhibitShown {
  number: string;
  evidence: string;
  name: string;
  size: number;
  taken: string;
  taken_by: string;
  parent: string;
  member: string;
  method: string;
  storage: string;
  authority: string;
  state: string;
  entries: number;
  last: LastEntry | null;
}

/**
 * An exhibit with its record as it was signed, and the evidence that it was taken out of.
 * `copy_of_it` of a disk's triage is the id of the full copy, once that has its rows.
 */
export interface ExhibitWhole {
  number: string;
  evidence: string;
  name: string;
  size: number;
  taken: string;
  taken_by: string;
  parent: string;
  member: string;
  method: string;
  storage: string;
  authority: string;
  state: string;
  entries: number;
  last: LastEntry | null;
  record: Record<string, unknown>;
  parent_evidence: string;
  copy_of_it: string | null;
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

/** A file that is no playbook, and why. */
export interface FaultyShown {
  id: string;
  problem: string;
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

/** A role of a user or a group, one of which is empty; `case` is empty for all cases. */
export interface GrantShown {
  id: number;
  user: string;
  group: string;
  role: Role;
  case: string;
  granted: string;
  by: string;
  reason: string;
}

/** What is to be different about a group; what is left out stays. */
export interface GroupChange {
  title?: string | null;
  claim?: string | null;
}

/** A group; `claim` is what the single sign-on provider calls it, empty when it has no say. */
export interface GroupShown {
  name: string;
  title: string;
  claim: string;
  members: string[];
}

/** The server answers. */
export interface Health {
  ok: boolean;
}

/**
 * Events over time: `buckets` are the starts in milliseconds since 1970, each `width_ms` long.
 *
 * Counts are by value of the field, further values together under the empty name. `before` and
 * `after` are outliers that no bucket counts, because the search asked for none.
 */
export interface HistogramShown {
  start: string;
  width_ms: number;
  buckets: number[];
  series: Record<string, number[]>;
  undated: number;
  before: number;
  after: number;
  took_ms: number;
  notes: string[];
}

/** A legal hold; `released` is null while it stands. */
export interface HoldShown {
  number: number;
  reference: string;
  reason: string;
  placed: string;
  placed_by: string;
  released: string | null;
  released_by: string;
  released_reason: string;
}

/** Whether something holds by another signal than that the call succeeded; null: not known. */
export interface Judged {
  holds: boolean | null;
  signal: string;
  detail: string;
}

/**
 * How a case is kept. `barred` says what stands against disposal now, `lapsed` why the
 * authority in force does not hold today; both are sentences, or empty.
 */
export interface KeepingShown {
  held: boolean;
  until: string | null;
  barred: string;
  lapsed: string;
  holds: HoldShown[];
  disposals: DisposalShown[];
  authorities: AuthorityShown[];
}

/** Evidence that a step took into the vault, under its name in the case. */
export interface KeptShown {
  id: string;
  name: string;
}

/** The newest entry about an exhibit. */
export interface LastEntry {
  sequence: number;
  time: string;
  verb: string;
  actor: string;
}

/** The secret of a one-time sign-in link, and a code where the person is asked for one. */
export interface Link {
  token: string;
  code?: string;
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
  /** names what an undo takes back; as long as the server remembers it, that is taken back exactly and what others marked meanwhile stays */
  takes_back?: string;
}

/** How many events changed, and what to post to the same address to take it back. */
export interface Marked {
  changed: number;
  undo: MarkRequest;
}

/** One thing that a playbook does. */
export interface MeasureShown {
  does: string;
  what: string;
  text: string;
}

/**
 * What becomes of one account: `open` (its role can be taken), `added`, `known`, `refused`,
 * `inactive`, `gone`, `forgotten`; and why.
 */
export interface MemberShown {
  number: string;
  name: string;
  state: string;
  reason: string;
}

/** Events around one event, which stands at `index`; whether there are more on either side. */
export interface Neighbours {
  events: EventRow[];
  index: number;
  before: boolean;
  after: boolean;
}

/**
 * An account to be added. Without a role the credentials of the server's machine are used; an
 * external id is made when none is given.
 */
export interface NewAccount {
  name: string;
  provider?: string;
  role?: string;
  external_id?: string;
  regions: string[];
}

/** Under which authority evidence is taken in from now on. Days are like 2033-12-31. */
export interface NewAuthority {
  kind: 'warrant' | 'consent' | 'policy' | 'contract';
  reference: string;
  issued_by?: string;
  valid_from?: string;
  valid_to?: string;
  scope?: string;
}

/** What a bundle is to hold. Without `exhibit` it is the whole case. */
export interface NewBundle {
  exhibit?: string;
  references?: boolean;
  reason: string;
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

/** A disposal to be asked for: of this evidence with all that was derived from it, or of all. */
export interface NewDisposal {
  evidence?: string[];
  reason: string;
}

/** A role to be granted, to a user or to a group. */
export interface NewGrant {
  role: Role;
  user?: string;
  group?: string;
  reason?: string;
}

/** The same; `case` is empty for all cases. */
export interface NewGrantAnywhere {
  role: Role;
  user?: string;
  group?: string;
  reason?: string;
  case?: string;
}

/** A group to be made. */
export interface NewGroup {
  name: string;
  title?: string;
  claim?: string;
}

/** A legal hold to be placed; `reference` is the matter, order or letter behind it. */
export interface NewHold {
  reference?: string;
  reason: string;
}

/** Who is to be put into a group. */
export interface NewMember {
  username: string;
}

/** The same, to be added; `name` is what the account that lists is called here. */
export interface NewOrganization {
  role: string;
  member_role: string;
  external_id?: string;
  regions: string[];
  provider?: string;
  name: string;
}

/** Until when the case is kept: a day counts to its end. It can be lengthened only. */
export interface NewRetention {
  until: string;
  reason: string;
}

/**
 * An order that is to be carried out. `seen` are the digests of the plans that were looked at;
 * `collecting` collects what would be lost before, `exception` says why that is left out.
 */
export interface NewRun {
  verb: 'collect' | 'isolate';
  target: string;
  account?: string;
  region?: string;
  only?: string[];
  options?: Record<string, boolean | string>;
  reason: string;
  seen: string[];
  collecting?: boolean;
  exception?: string;
}

/** An API token to be made. */
export interface NewToken {
  name?: string;
  days?: number;
  scope?: Scope;
  case?: string;
}

/**
 * A user to be made. Without a password only a link or single sign-on lets the person in;
 * without a role they may do nothing yet.
 */
export interface NewUser {
  username: string;
  name?: string;
  password?: string;
  single_sign_on?: boolean;
  role?: Role | null;
  case?: string;
}

/** Something that whoever orders may choose. */
export interface OptionShown {
  name: string;
  title: string;
  default: boolean | string;
}

/** What is to be done to which target. `target` is an id or an ARN; `only` names actions. */
export interface Ordered {
  verb: 'collect' | 'isolate';
  target: string;
  account?: string;
  region?: string;
  only?: string[];
  options?: Record<string, boolean | string>;
}

/**
 * How we come into an organization: by the role that lists its accounts, then by the role of
 * the name `member_role` in each of them, all of which ask for the external id.
 */
export interface Organization {
  role: string;
  member_role: string;
  external_id?: string;
  regions: string[];
  provider?: string;
}

/**
 * A look at an organization, or its adding, while it runs and when it has ended: the accounts
 * so far, each with what became of it, and why it failed as a whole.
 */
export interface OrganizationWork {
  progress: Progress;
  external_id: string;
  members: MemberShown[];
  error: string;
  advice: string;
}

/** An archive or image that evidence was taken out of. */
export interface Parent {
  id: string;
  name: string;
}

/** What evidence can be read as; the id is what `as` takes when evidence is added. */
export interface ParserShown {
  id: string;
  title: string;
}

/**
 * One step of a playbook: what it does to which target, and how far it has come. `title` is
 * that of the action, `run` its run once it was begun. A collection is `kept` once isolating can
 * take nothing any more from it, and what is left is read from copies while the others go on;
 * `kept` says so also when that failed.
 */
export interface PartShown {
  number: number;
  does: string;
  what: string;
  title: string;
  target: TargetShown | null;
  options: Record<string, unknown>;
  text: string;
  state: string;
  kept: boolean;
  run: string;
  error: string;
  started: string | null;
  ended: string | null;
}

/** The old password (empty when there was none) and the new one. */
export interface PasswordChange {
  current?: string;
  new: string;
}

/** One thing that somebody may do. */
export type Permission =
  | 'view'
  | 'download'
  | 'export'
  | 'mark'
  | 'acquire'
  | 'make-case'
  | 'respond'
  | 'hold'
  | 'transfer'
  | 'seal'
  | 'dispose'
  | 'grant'
  | 'people'
  | 'settings';

/**
 * A permission: what it allows, the smallest token that carries it, the roles that have it.
 * Those about the installation are given by a role for all cases only.
 */
export interface PermissionShown {
  permission: Permission;
  allows: string;
  scope: Scope;
  roles: Role[];
  installation: boolean;
}

/**
 * What a disposal would take. The bytes of `shared` stay, because another case holds them;
 * `again` further pieces would be read again; `takers` can neither ask nor agree.
 */
export interface PlanShown {
  exhibits: Planned[];
  total: number;
  bytes: number;
  rows: number;
  shared: number;
  again: number;
  takers: string[];
  barred: string;
}

/** A piece of evidence that a disposal would take. */
export interface Planned {
  evidence: string;
  name: string;
  size: number;
  rows: number;
}

/**
 * One thing that a plan would do. `breaks` is what stops working; `undo_title` what a release
 * does about it, empty when there is nothing to undo, or no way to.
 */
export interface PlannedStep {
  key: string;
  title: string;
  call: string;
  arguments: Record<string, unknown>;
  changes: boolean;
  breaks: string[];
  undo_title: string;
  from_copy: boolean;
}

/** The playbooks there are, and the files that are none. */
export interface PlaybookList {
  playbooks: PlaybookShown[];
  faulty: FaultyShown[];
}

/**
 * A run with what people are asked about, as it would be done now: the `plans` of its steps
 * ahead, and the digest of them (`plan`) by which somebody agrees. `changed` is what is different
 * from what was asked before.
 */
export interface PlaybookRunAsked {
  id: string;
  playbook: string;
  title: string;
  alert: string;
  case: string;
  asker: string;
  state: string;
  asking: string;
  approvers: number;
  parts: PartShown[];
  approvals: ApprovalShown[];
  agreed: number;
  enabled_by: string;
  lapses: string | null;
  reminds: string | null;
  round: number;
  changed: string[];
  asks_you: boolean;
  barred: string;
  error: string;
  started: string;
  ended: string | null;
  plan: string;
  plans: ProposalShown[];
}

/** Runs of playbooks, the newest first. `next` is where the list goes on, null at its end. */
export interface PlaybookRunList {
  runs: PlaybookRunShown[];
  next: string | null;
}

/**
 * One run of a playbook on one alert. While it is `waiting`, people are asked: `approvers` of
 * them have to agree until `lapses`, and `agreed` have. `asks_you` says that it waits for whoever
 * asks, `barred` why they do not count; `changed` is why it asks again, the `round`-th time.
 */
export interface PlaybookRunShown {
  id: string;
  playbook: string;
  title: string;
  alert: string;
  case: string;
  asker: string;
  state: string;
  asking: string;
  approvers: number;
  parts: PartShown[];
  approvals: ApprovalShown[];
  agreed: number;
  enabled_by: string;
  lapses: string | null;
  reminds: string | null;
  round: number;
  changed: string[];
  asks_you: boolean;
  barred: string;
  error: string;
  started: string;
  ended: string | null;
}

/** A playbook. `changed` says that it was switched on with another text, and is off for that. */
export interface PlaybookShown {
  id: string;
  title: string;
  about: string;
  text: string;
  then: MeasureShown[];
  asking: string;
  approvers: number;
  targets_per_hour: number;
  shipped: boolean;
  enabled: boolean;
  enabled_by: string;
  enabled_at: string | null;
  changed: boolean;
}

/** How far a run of a playbook has come. */
export type PlaybookState = 'due' | 'waiting' | 'done' | 'failed' | 'refused' | 'lapsed';

/** A policy as it is handed in. */
export interface PolicyShown {
  text: string;
}

/**
 * An error. `message`, `position`, `length` and `suggestion` point at a mistake in a query;
 * `errors` name the parts of a request that do not fit; `needs` is `code` when signing in takes
 * a code of the second factor too.
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
  needs?: string | null;
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

/**
 * A plan, as it has to be looked at before anything is done. `digest` tells it from one that
 * would do something else; `missing` are permissions that the provider said we lack, `unknown`
 * those that it does not tell before; `uncollected` has to be collected before.
 */
export interface ProposalShown {
  action: string;
  title: string;
  verb: string;
  harm: string;
  account: string;
  simulated: boolean;
  target: TargetShown;
  options: Record<string, unknown>;
  steps: PlannedStep[];
  refusals: string[];
  warnings: string[];
  missing: string[];
  unknown: string[];
  volatility: number;
  uncollected: string[];
  digest: string;
}

/** Whether a target may never be isolated, whoever asks. */
export interface Protection {
  target: string;
  protected?: boolean;
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

/**
 * An upload that is in the vault; `job` parses it, null when a running one will.
 *
 * `known` says that the case held the same bytes before: nothing is added twice.
 */
export interface Received {
  job: string | null;
  known: boolean;
  evidence: Evidence;
}

/** Codes that each stand for one code of the app, shown this once. */
export interface RecoveryCodes {
  codes: string[];
}

/**
 * A new look. `member_role` is needed when no account came by it yet; `forget` forgets those
 * that have left.
 */
export interface Refresh {
  member_role?: string;
  forget?: boolean;
}

/** Putting back. `leave` are steps that are let be as others have made them. */
export interface Release {
  reason: string;
  leave?: string[];
}

/** What the provider put into the address that it sent the browser back to. */
export interface Returned {
  state: string;
  code: string;
  iss?: string;
}

/** What somebody is in a case. */
export type Role = 'viewer' | 'analyst' | 'responder' | 'custodian' | 'administrator';

/** A role that a person has; `group` is the group through which, `case` is empty for all. */
export interface RoleHeld {
  role: Role;
  case: string;
  group: string;
}

/** A role and what it may do. */
export interface RoleShown {
  role: Role;
  title: string;
  may: Permission[];
}

/** Everything that says who may do what. */
export interface RoleTable {
  roles: RoleShown[];
  permissions: PermissionShown[];
}

/**
 * Runs, the newest first. `next` is where the list goes on, null at its end; `isolated` counts
 * the targets of the case that are isolated now, listed here or not.
 */
export interface RunList {
  runs: RunShown[];
  next: string | null;
  isolated: number;
}

/**
 * A run. `working` says that a process is at it now; `standing` counts the changes that may
 * stand in the cloud; `rule` and `alert` are what asked for it when nobody did by hand. `kept`:
 * isolating the target takes nothing any more from what it collects, which may go on from copies.
 */
export interface RunShown {
  run: string;
  action: string;
  title: string;
  verb: string;
  target: TargetShown;
  account: string;
  simulated: boolean;
  state: string;
  working: boolean;
  kept: boolean;
  who: string;
  reason: string;
  exception: string;
  rule: string;
  alert: string;
  error: string;
  started: string;
  ended: string | null;
  released: string | null;
  released_by: string;
  released_reason: string;
  foreign: boolean;
  steps: number;
  done: number;
  standing: number;
}

/** How far a run has come. */
export type RunState = 'applying' | 'done' | 'failed' | 'releasing' | 'released' | 'release-failed';

/** A run with its steps. `receipt` is the evidence id of its last receipt. */
export interface RunWhole {
  run: string;
  action: string;
  title: string;
  verb: string;
  target: TargetShown;
  account: string;
  simulated: boolean;
  state: string;
  working: boolean;
  kept: boolean;
  who: string;
  reason: string;
  exception: string;
  rule: string;
  alert: string;
  error: string;
  started: string;
  ended: string | null;
  released: string | null;
  released_by: string;
  released_reason: string;
  foreign: boolean;
  steps: number;
  done: number;
  standing: number;
  taken: StepTaken[];
  warnings: string[];
  options: Record<string, unknown>;
  receipt: string;
}

/** The runs that were begun, in their order. */
export interface RunsBegun {
  runs: string[];
}

/** How much of what its owner may do an API token carries; each contains the one before. */
export type Scope = 'read' | 'write' | 'manage';

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

/**
 * A secret for an authenticator app: as text, as the address that apps read, and as a picture
 * of it. It is asked for as soon as a code of it was confirmed.
 */
export interface SecondFactorProposed {
  secret: string;
  address: string;
  svg: string;
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

/**
 * Who is signed in. `may` is what they may do in all cases, `anywhere` in at least one; what
 * they may do in one case is told with the case. `ask` are those who grant roles in all cases.
 */
export interface SignedIn {
  username: string;
  name: string;
  groups: string[];
  may: Permission[];
  anywhere: Permission[];
  ask: string[];
  second_factor: boolean;
  recovery_codes: number;
}

/** The receipt of a run as text, the entry of the ledger that took it in, and its key. */
export interface SignedReceipt {
  format: string;
  receipt: string;
  entry: string;
  key: string;
}

/** By which key the ledger is signed; `pinned` says whether it is the one kept outside of it. */
export interface SigningShown {
  key: string;
  fingerprint: string;
  pinned: boolean;
  entries: number;
  authority: string;
  stamped: StampedShown | null;
  waiting: number;
  why: string;
}

/** Events of one source. */
export interface SourceCount {
  source: string;
  count: number;
}

/** A checkpoint (a signed note) and the time that an authority attests, or why there is none. */
export interface StampedShown {
  size: number;
  note: string;
  time: string;
  authority: string;
  gap: string;
}

/** How far a disposal has come. */
export type Standing = 'asked' | 'agreed' | 'done' | 'refused';

/** One step of a proof; it does not stand on a `further` one, about a copy. */
export interface StepShown {
  name: string;
  passed: boolean;
  detail: string;
  further: boolean;
  differences: Difference[];
}

/** A step as it went. `prior` is what was there before, `outcome` what came of it. */
export interface StepTaken {
  key: string;
  title: string;
  call: string;
  arguments: Record<string, unknown>;
  changes: boolean;
  breaks: string[];
  undo_title: string;
  from_copy: boolean;
  state: string;
  prior: unknown;
  outcome: unknown;
  verdict: Judged | null;
  error: string;
  evidence: KeptShown[];
  started: string | null;
  ended: string | null;
}

/** Whether a playbook is to be on. */
export interface Switch {
  enabled: boolean;
}

/** A tag and how many events have it. */
export interface TagCount {
  tag: string;
  count: number;
}

/** The alerts that a message said, recorded. */
export interface Taken {
  alerts: string[];
}

/** How often each thing happened in a case, and how much each person did. */
export interface TallyShown {
  verbs: Record<string, number>;
  actors: Record<string, number>;
}

/** One resource of one account. `region` is empty for what belongs to no region. */
export interface TargetShown {
  provider: string;
  account: string;
  region: string;
  kind: string;
  id: string;
}

/** A new token; `token` is the secret, shown this once. */
export interface TokenMade {
  id: number;
  name: string;
  scope: Scope;
  case: string;
  created: string;
  expires: string;
  used: string | null;
  token: string;
}

/** An API token, without its secret; `case` is empty when it reaches all that its owner sees. */
export interface TokenShown {
  id: number;
  name: string;
  scope: Scope;
  case: string;
  created: string;
  expires: string;
  used: string | null;
}

/** What a playbook would have done about an alert of the past, and why, or why not. */
export interface TrialShown {
  alert: string;
  title: string;
  case: string;
  severity: string;
  matches: boolean;
  why: string;
  parts: PartShown[];
  errors: string[];
}

/** One thing that a release would put back, the newest first. */
export interface Undoing {
  key: string;
  title: string;
  undo_title: string;
  call: string;
  prior: unknown;
  outcome: unknown;
  error: string;
}

/** A page of such messages, the last that came first. `next` is null at the end of the list. */
export interface UnreadList {
  messages: UnreadShown[];
  next: string | null;
  total: number;
}

/** A message that no alert could be read from. Its bytes are kept. */
export interface UnreadShown {
  number: number;
  came: string;
  door: string;
  place: string;
  problem: string;
  size: number;
  times: number;
}

/** What is to be different about a user; what is left out stays. */
export interface UserChange {
  name?: string | null;
  disabled?: boolean | null;
  single_sign_on?: boolean | null;
}

/** A user, never with anything of the password. */
export interface UserShown {
  username: string;
  name: string;
  roles: RoleHeld[];
  groups: string[];
  disabled: boolean;
  created: string;
  has_password: boolean;
  second_factor: boolean;
  single_sign_on: boolean;
}

/** A value and how many events have it. */
export interface ValueCount {
  value: string;
  count: number;
}

/** What can happen to evidence, to a case or to the installation: the words of the ledger. */
export type Verb =
  | 'acquired'
  | 'derived'
  | 'stored'
  | 'verified'
  | 'verification-failed'
  | 'opened'
  | 'viewed'
  | 'downloaded'
  | 'searched'
  | 'processed'
  | 'copied'
  | 'transferred-out'
  | 'transferred-in'
  | 'exported'
  | 'held'
  | 'hold-released'
  | 'retained'
  | 'disposal-asked'
  | 'disposal-agreed'
  | 'disposal-refused'
  | 'disposed'
  | 'authorised'
  | 'corroborated'
  | 'failed'
  | 'planned'
  | 'approved'
  | 'lapsed'
  | 'collected'
  | 'contain-intended'
  | 'contained'
  | 'contain-failed'
  | 'release-intended'
  | 'released'
  | 'release-failed'
  | 'key-introduced'
  | 'authority-set'
  | 'checkpoint-kept'
  | 'time-stamped'
  | 'time-stamp-missed'
  | 'clock-set-back'
  | 'entries-lost'
  | 'head-changed'
  | 'loss-explained'
  | 'signed-in'
  | 'sign-in-refused'
  | 'signed-out'
  | 'granted'
  | 'revoked'
  | 'refused'
  | 'user-changed'
  | 'token-made'
  | 'token-revoked'
  | 'policy-changed'
  | 'vault-moved'
  | 'immutable-set'
  | 'immutable-lifted';

/** A verification that came to its end. What was not checked is no pass. */
export interface VerificationShown {
  begun: string;
  ended: string;
  by: string;
  passed: boolean;
  clauses: ClauseShown[];
}

/** How one can sign in here; `single_sign_on` is the name of the provider, when there is one. */
export interface Ways {
  single_sign_on: string | null;
}

/** What somebody says about a run that waits, and why. */
export interface Word {
  reason: string;
}
