// SPDX-License-Identifier: Apache-2.0
// Entries of the ledger in the words of a person. The entry itself stays one click away.
import type { CustodyEntry } from '../api/contract';
import { bytes } from '../text/number';

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | '';

export interface Told {
  /** What was done, with the person put in for `{who}`. */
  sentence: string;
  /** What says more about it; empty when the sentence says all. */
  more: string;
  tone: Tone;
}

/** What people look for, and the verbs that it is. */
export const KINDS: Record<string, { title: string; verbs: string[] }> = {
  taken: { title: 'Taken in', verbs: ['acquired', 'derived', 'stored', 'copied', 'authorised'] },
  read: { title: 'Seen', verbs: ['viewed', 'searched', 'downloaded', 'opened', 'processed'] },
  checked: {
    title: 'Verified',
    verbs: [
      ...['verified', 'verification-failed', 'checkpoint-kept', 'corroborated'],
      ...['time-stamped', 'time-stamp-missed'],
    ],
  },
  kept: {
    title: 'Kept',
    verbs: [
      ...['held', 'hold-released', 'retained', 'disposed'],
      ...['disposal-asked', 'disposal-agreed', 'disposal-refused'],
    ],
  },
  left: { title: 'Left', verbs: ['exported', 'downloaded', 'transferred-out', 'transferred-in'] },
  people: {
    title: 'People',
    verbs: [
      ...['signed-in', 'sign-in-refused', 'signed-out', 'granted', 'revoked', 'refused'],
      ...['user-changed', 'token-made', 'token-revoked', 'policy-changed'],
    ],
  },
  trouble: {
    title: 'Trouble',
    verbs: [
      ...['failed', 'verification-failed', 'refused', 'sign-in-refused', 'clock-set-back'],
      ...['time-stamp-missed', 'entries-lost', 'head-changed', 'loss-explained'],
      ...['contain-failed', 'release-failed'],
    ],
  },
};

const TONES: Record<string, Tone> = {
  acquired: 'good',
  derived: 'good',
  verified: 'good',
  corroborated: 'good',
  'transferred-in': 'good',
  'time-stamped': 'good',
  'verification-failed': 'bad',
  failed: 'bad',
  'contain-failed': 'bad',
  'release-failed': 'bad',
  refused: 'bad',
  'sign-in-refused': 'bad',
  'clock-set-back': 'bad',
  'entries-lost': 'bad',
  'head-changed': 'bad',
  'loss-explained': 'warn',
  'immutable-lifted': 'warn',
  disposed: 'bad',
  'disposal-asked': 'warn',
  'disposal-agreed': 'warn',
  downloaded: 'warn',
  exported: 'warn',
  'transferred-out': 'warn',
  held: 'busy',
  retained: 'busy',
  'time-stamp-missed': 'warn',
};

const DEEDS: Record<string, (entry: CustodyEntry, whole: boolean) => string> = {
  acquired: (entry) =>
    entry.previous > 0
      ? 'Taken in again by {who}: the same bytes'
      : `Taken in by {who}${sizeOf(entry)}`,
  derived: (entry) => `Taken out of what it was packed in, by {who}${sizeOf(entry)}`,
  stored: () => 'Stored for {who}',
  verified: (entry, whole) =>
    entry.evidence
      ? 'Verified: bytes are unchanged'
      : wholly('Custody verified: nothing failed', whole),
  'verification-failed': (entry, whole) =>
    entry.evidence
      ? 'VERIFICATION FAILED: the bytes are not what they were'
      : wholly('VERIFICATION OF CUSTODY FAILED', whole),
  opened: (entry) =>
    entry.reason === 'parsed' ? 'Opened to be read' : 'Opened by the program for {who}',
  processed: (entry) =>
    entry.details.copy
      ? 'Its rows went into those of the whole copy'
      : `Read by ${entry.details.parser || 'no parser: nothing recognises it'}`,
  corroborated: () => 'Borne out by the provider’s own log, which {who} asked',
  viewed: () => 'An event of it was viewed by {who}',
  downloaded: () => 'Downloaded by {who}',
  searched: (_entry, whole) => wholly('Searched by {who}', whole),
  copied: () => 'Copied by {who}',
  'transferred-out': (entry) => `Released by {who} to ${entry.details.to || 'somebody unnamed'}`,
  'transferred-in': (entry) => `Accepted by ${entry.details['accepted by'] || '{who}'}`,
  exported: (entry, whole) =>
    entry.details.members
      ? sealed(entry.details.exhibits ?? '', whole)
      : wholly('Rows exported by {who}', whole),
  held: (_entry, whole) => wholly('Put under legal hold by {who}', whole),
  'hold-released': (_entry, whole) => wholly('Legal hold released by {who}', whole),
  retained: (entry, whole) =>
    wholly(`To be kept until ${entry.details.until ?? '?'}, set by {who}`, whole),
  'disposal-asked': () => 'Disposal asked for by {who}',
  'disposal-agreed': () => 'Disposal agreed to by {who}',
  'disposal-refused': () => 'Disposal refused by {who}',
  disposed: (entry) =>
    entry.details.bytes === 'deleted'
      ? 'Disposed of by {who}: the bytes are gone'
      : `Disposed of by {who}; bytes ${entry.details.bytes ?? ''}`,
  authorised: (_entry, whole) => wholly('Authority entered by {who}', whole),
  failed: () => 'Something that {who} began failed',
  planned: () => 'Planned by {who}',
  approved: () => 'Approved by {who}',
  lapsed: () => 'Lapsed: nobody agreed in time to what {who} asked',
  collected: () => 'Collected by {who}',
  'contain-intended': () => 'About to be contained, for {who}',
  contained: () => 'Contained by {who}',
  'contain-failed': () => 'Containment failed, begun by {who}',
  'release-intended': () => 'About to be released from containment, for {who}',
  released: () => 'Released from containment by {who}',
  'release-failed': () => 'Release from containment failed, begun by {who}',
  'key-introduced': () => 'A key of the ledger was introduced',
  'authority-set': () => 'Time-stamping authority set by {who}',
  'time-stamped': (entry) => `Time-stamped by ${entry.details.signer || 'an authority'}`,
  'time-stamp-missed': () => 'No time stamp could be had',
  'clock-set-back': () => 'The clock of this machine was set back',
  'checkpoint-kept': () => 'A checkpoint was kept',
  'entries-lost': (entry) => `Entries ${entry.details.entries ?? ''} of the ledger are gone`,
  'head-changed': () => 'The head of the ledger was changed by another hand',
  'loss-explained': () => 'Signed for by {who}: how this came about',
  'immutable-set': () => 'Immutable flag set on all evidence by {who}',
  'immutable-lifted': () => 'Immutable flag taken off all evidence by {who}',
  'signed-in': () => '{who} signed in',
  'sign-in-refused': () => '{who} was not let in',
  'signed-out': () => '{who} signed out',
  granted: () => '{who} granted',
  revoked: () => '{who} took back',
  refused: () => '{who} was refused',
  'user-changed': () => 'A user was changed by {who}',
  'token-made': () => '{who} made an API token',
  'token-revoked': () => '{who} revoked an API token',
  'policy-changed': () => 'A policy was changed by {who}',
};

/** `whole`: it is told in the life of one exhibit, and happened to all of the case. */
export function telling(entry: CustodyEntry, whole = false): Told {
  const deed = DEEDS[entry.verb];
  const sentence = deed ? deed(entry, whole && !entry.evidence) : `{who}: ${entry.verb}`;
  return { sentence, more: more(entry), tone: TONES[entry.verb] ?? '' };
}

function wholly(sentence: string, whole: boolean): string {
  return whole ? `${sentence} (the whole case)` : sentence;
}

/** A bundle holds a whole case, with how many exhibits it has, or the one with this number. */
function sealed(exhibits: string, whole: boolean): string {
  return /^\d*$/.test(exhibits)
    ? wholly('Exported by {who} as a sealed bundle', whole)
    : `Exhibit ${exhibits} exported by {who} as a sealed bundle`;
}

function sizeOf(entry: CustodyEntry): string {
  const size = Number(entry.details.size);
  return Number.isFinite(size) && entry.details.size ? `, ${bytes(size)}` : '';
}

function more(entry: CustodyEntry): string {
  const { details, reason, verb } = entry;
  if (verb === 'searched') return details.query ? `for ${details.query}` : reason;
  if (verb === 'viewed') return details.locator ? `at ${details.locator}` : reason;
  if (verb === 'acquired') {
    return [details.name ? `from ${details.name}` : '', reason].filter(Boolean).join(' · ');
  }
  if (verb === 'derived') return details.member ? `member ${details.member}` : reason;
  if (verb === 'exported' && details.query) return `${reason} · query ${details.query}`;
  if (verb === 'verified' || verb === 'verification-failed') {
    const open = details['not checked'];
    return open ? `${reason} · not checked: ${open}` : reason;
  }
  if (verb.startsWith('disposal-') && details.disposal) {
    const size = details.exhibits ? ` of ${details.exhibits} exhibits` : '';
    return `disposal ${details.disposal}${size}: ${reason}`;
  }
  if (verb === 'opened' && reason === 'parsed') return '';
  return reason;
}

/** Through which door and from where, as far as somebody said. */
export function whence(entry: CustodyEntry): string {
  const doors: Record<string, string> = { api: 'API', automation: 'automation' };
  return [doors[entry.door] ?? entry.door, entry.address].filter(Boolean).join(', ');
}

export interface Group {
  /** The newest of them, which stands for all. */
  entry: CustodyEntry;
  entries: CustodyEntry[];
}

/** Entries, newest first, with runs of the same deed of the same person put together. */
export function grouped(entries: CustodyEntry[]): Group[] {
  const groups: Group[] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    const same =
      last &&
      !SINGLE.has(entry.verb) &&
      last.entry.verb === entry.verb &&
      last.entry.actor === entry.actor &&
      last.entry.door === entry.door &&
      last.entry.address === entry.address &&
      last.entry.evidence === entry.evidence &&
      telling(last.entry).sentence === telling(entry).sentence;
    if (same) last.entries.push(entry);
    else groups.push({ entry, entries: [entry] });
  }
  return groups;
}

/** What never happens often enough to be put together, or must not be. */
const SINGLE = new Set(
  Object.entries(KINDS)
    .filter(([name]) => name !== 'read')
    .flatMap(([, kind]) => kind.verbs)
    .filter((verb) => !['verified', 'signed-in', 'signed-out'].includes(verb)),
);
