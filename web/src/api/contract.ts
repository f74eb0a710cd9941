// SPDX-License-Identifier: Apache-2.0
// What the API answers, in the API's own words. Times are ISO-8601 in UTC with as many digits as
// the source had; `time_ns` is text because it does not fit a JavaScript number.

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
}

export interface Person {
  username: string;
  name: string;
  roles: string[];
}

export interface About {
  version: string;
  confinement: string;
}

export interface Field {
  name: string;
  kind: 'time' | 'word' | 'text' | 'address' | 'port' | 'bytes' | 'map' | string;
  title: string;
  facet: boolean;
  query: boolean;
}

export interface FailedEvidence {
  id: string;
  name: string;
  reason: string;
}

export interface Case {
  name: string;
  title: string;
  created: string | null;
  simulated: boolean;
  events: number;
  evidence: number;
  bytes: number;
  problems: number;
  first: string | null;
  last: string | null;
  sources: { source: string; count: number }[];
  jobs_running: number;
  failed: FailedEvidence[];
}

export type EvidenceState = 'queued' | 'parsing' | 'parsed' | 'not parsed' | 'failed' | 'archive';

export interface EvidenceItem {
  id: string;
  name: string;
  parent: string | null;
  member: string | null;
  size: number;
  kind: string;
  parser: string | null;
  state: EvidenceState | string;
  reason: string | null;
  seen: number;
  rows: number;
  problems: number;
  sha256: string;
  blake2b: string;
  added: string | null;
  added_by: string | null;
  confinement: string | null;
}

export interface EvidenceList {
  evidence: EvidenceItem[];
  total: number;
}

export interface CustodyEntry {
  sequence: number;
  time: string;
  actor: string;
  verb: string;
  evidence: string;
  name?: string | null;
  case: string;
  reason: string;
  details: Record<string, string>;
  previous: string;
  hash: string;
}

export interface Progress {
  job: string;
  what: string;
  stage: string;
  done: number;
  total: number | null;
  unit: string;
  rate: number | null;
  left_seconds: number | null;
  state: string;
  log: string[];
}

/** A row of the timeline: every column but `raw` and `attributes`. */
export interface EventRow {
  id: string;
  time: string | null;
  time_ns: string | null;
  time_meaning: string;
  source: string;
  tags: string[];
  starred: boolean;
  comments: number;
  [column: string]: unknown;
}

export interface Sighting {
  evidence: string;
  name: string;
  locator: string;
}

export interface Provenance {
  evidence: string;
  name: string;
  parents?: { id: string; name: string }[];
  locator: string;
  sha256: string;
  custody_sequence: number | null;
  sightings: Sighting[];
}

export interface FullEvent extends EventRow {
  attributes: Record<string, string>;
  raw: string;
  raw_base64?: string | null;
  provenance: Provenance;
}

export interface EventPage {
  events: EventRow[];
  next: string | null;
  previous: string | null;
  notes: string[];
  took_ms: number;
}

export interface Count {
  count: number;
  took_ms: number;
  notes: string[];
}

export interface Histogram {
  start: string | null;
  width_ms: number;
  buckets: (string | number)[];
  series: Record<string, number[]>;
}

export interface FacetValue {
  value: string;
  count: number;
}

export interface Facet {
  values: FacetValue[];
  other: number;
  empty: number;
}

export interface ProofStep {
  name: string;
  passed: boolean;
  detail: string;
}

export interface Proof {
  passed: boolean;
  steps: ProofStep[];
}

export interface Comment {
  n: number;
  author: string;
  text: string;
  time: string;
  own?: boolean;
}

export interface Marks {
  ids: string[];
  star?: boolean;
  add_tags?: string[];
  remove_tags?: string[];
}

export interface SavedSearch {
  n: number;
  name: string;
  q: string;
  from: string | null;
  to: string | null;
  columns: string[];
  facets: string[];
}

export interface Token {
  id: string | number;
  name: string;
  created: string;
  expires: string | null;
  used?: string | null;
  token?: string;
}

export interface User {
  username: string;
  name: string;
  roles: string[];
  disabled?: boolean;
  created?: string;
}
