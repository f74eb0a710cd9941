// SPDX-License-Identifier: Apache-2.0
// Plans and runs in the words of a person.
import type { Part, PlaybookRun, Proposal, Run, StepTaken } from '../api/contract';
import { counted, duration } from '../text/number';
import { millis } from '../text/time';

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | '';

export const DOING: Record<string, string> = { collect: 'Collecting', isolate: 'Isolating' };
export const DO: Record<string, string> = { collect: 'Collect', isolate: 'Isolate' };

/** How far a run has come, in a few words. */
export function standing(run: Run): { word: string; tone: Tone } {
  const going = run.state === 'applying' || run.state === 'releasing';
  if (going && !run.working && stale(run)) return { word: 'stopped half-way', tone: 'warn' };
  switch (run.state) {
    case 'applying':
      if (run.verb === 'isolate') return { word: 'isolating', tone: 'busy' };
      return { word: run.kept ? 'kept, reading on' : 'collecting', tone: 'busy' };
    case 'releasing':
      return { word: 'releasing', tone: 'busy' };
    case 'done':
      return run.verb === 'isolate'
        ? { word: 'isolated', tone: 'warn' }
        : { word: 'collected', tone: 'good' };
    case 'released':
      return { word: 'released', tone: 'good' };
    case 'release-failed':
      return { word: 'release stopped', tone: 'bad' };
    default:
      return { word: 'failed', tone: 'bad' };
  }
}

const PATIENCE = 20_000;

/** Whether a run that nobody is at was begun so long ago that nobody will come. */
export function stale(run: Run, now = Date.now()): boolean {
  return now - Date.parse(run.started) > PATIENCE;
}

export function isGoing(run: Run): boolean {
  return run.state === 'applying' || run.state === 'releasing';
}

const STEPS: Record<string, { word: string; tone: Tone }> = {
  planned: { word: 'to come', tone: '' },
  captured: { word: 'state before is kept', tone: 'busy' },
  intended: { word: 'being done', tone: 'busy' },
  applied: { word: 'done', tone: 'good' },
  verified: { word: 'done, and it holds', tone: 'good' },
  failed: { word: 'failed', tone: 'bad' },
  releasing: { word: 'being put back', tone: 'busy' },
  undone: { word: 'put back', tone: 'good' },
  left: { word: 'left as others made it', tone: 'warn' },
  conflict: { word: 'others changed it', tone: 'bad' },
};

export function stepStanding(one: StepTaken): { word: string; tone: Tone } {
  if (one.state === 'planned' && one.error) return { word: 'failed', tone: 'bad' };
  if (one.evidence.length > 0) return { word: 'kept', tone: 'good' };
  if (one.state === 'verified' && !one.prior) return { word: 'done', tone: 'good' };
  if (one.state === 'captured' && !one.prior) return { word: 'being done', tone: 'busy' };
  return STEPS[one.state] ?? { word: one.state, tone: '' };
}

/** What a plan comes to, before its steps. */
export function summary(plan: Proposal): string {
  const changes = plan.steps.filter((one) => one.changes);
  if (plan.verb === 'collect') {
    const asks = counted(plan.steps.length, 'call');
    return changes.length === 0
      ? `${asks} that only read. Nothing in the account changes.`
      : `${asks}; ${counted(changes.length, 'of them makes', 'of them make')} something new in the account. The target itself is not changed.`;
  }
  const final = changes.filter((one) => !one.undo_title);
  const back =
    final.length === 0
      ? changes.length === 1
        ? 'It can be put back.'
        : 'All of them can be put back.'
      : `${counted(final.length, 'of them', 'of them')} cannot be put back.`;
  return `${counted(changes.length, 'change')}. ${back}`;
}

/** What stops working, each sentence once, in the order of the steps. */
export function breakage(plan: Proposal): string[] {
  return [...new Set(plan.steps.flatMap((one) => one.breaks))];
}

/** What is said before the first step that reads a copy. */
export function fromHere(target: string): string {
  return `From here on it reads copies that stand: ${target} may be isolated meanwhile.`;
}

/** The key of the first step that reads a copy, if any does. */
export function firstCopy(steps: { key: string; from_copy: boolean }[]): string | undefined {
  return steps.find((one) => one.from_copy)?.key;
}

/** The progress of what still reads copies of a target, in the words in which its job begins. */
export function isCopying(what: string, part: Part): boolean {
  return part.state === 'kept' && what === `${DOING.collect} ${part.target?.id ?? ''}`;
}

/** How soon what a plan takes is lost. */
export function volatility(plan: Proposal): string {
  if (plan.volatility === 0) return 'Lost first, so it is taken first.';
  return plan.volatility < 4 ? 'Lost soon.' : 'Lasts longer, so it is taken later.';
}

/** What a person sees of a captured state: small enough to read, whole enough to judge. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(shown).join(', ') || 'none';
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, each]) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? `${name}: ${JSON.stringify(each)}`
        : `${name}: ${shown(each)}`,
    )
    .join('; ');
}

export function compared(taken: StepTaken[]): { same: number; judged: number } {
  const undone = taken.filter((one) => one.state === 'undone' && one.verdict);
  return { same: undone.filter((one) => one.verdict?.holds).length, judged: undone.length };
}

/** What one step of a playbook does, as the end of "it would". */
export function partSentence(part: Part): string {
  const target = part.target?.id ?? '';
  switch (part.does) {
    case 'collect':
    case 'isolate':
      return `${part.title.charAt(0).toLowerCase()}${part.title.slice(1)}: ${target}`;
    case 'notify':
      return part.what === 'all' ? 'tell everybody who is to be told' : `tell ${part.what}`;
    default:
      return 'read into the timeline what was taken';
  }
}

export function playbookStanding(one: PlaybookRun): { word: string; tone: Tone } {
  const known: Record<string, { word: string; tone: Tone }> = {
    due: { word: 'at work', tone: 'busy' },
    waiting: { word: 'waits for people', tone: 'warn' },
    done: { word: 'done', tone: 'good' },
    failed: { word: 'failed', tone: 'bad' },
    refused: { word: 'refused', tone: '' },
    lapsed: { word: 'lapsed', tone: 'warn' },
  };
  return known[one.state] ?? { word: one.state, tone: '' };
}

/** Who has to agree still, in words. */
export function awaited(one: PlaybookRun): string {
  const left = one.approvers - one.agreed;
  if (left > 1) return `${left} different people`;
  return one.agreed > 0 ? 'one more person' : 'somebody';
}

/** Until when it waits, from now: "23 h 59 min left". */
export function leftOf(one: PlaybookRun, now = Date.now()): string {
  if (!one.lapses) return '';
  const seconds = (millis(one.lapses) - now) / 1000;
  return seconds <= 0 ? 'its time is over' : `${duration(seconds)} left`;
}

/** Colour never stands alone: the word is beside it. */
export function severityTone(severity: string): Tone {
  if (severity === 'critical' || severity === 'high') return 'bad';
  return severity === 'medium' ? 'warn' : '';
}
