// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Part, PlaybookRun, Proposal, Run, StepTaken } from '../api/contract';
import {
  awaited,
  breakage,
  compared,
  firstCopy,
  isCopying,
  leftOf,
  partSentence,
  shown,
  stale,
  standing,
  stepStanding,
  summary,
} from './telling';

const step = (changes: boolean, undo_title: string, breaks: string[] = []) => ({
  changes,
  undo_title,
  breaks,
});
const plan = (verb: string, steps: unknown[]) => ({ verb, steps }) as unknown as Proposal;
const run = (values: Partial<Run>) =>
  ({ verb: 'isolate', working: true, started: new Date().toISOString(), ...values }) as Run;

test('a plan says how many changes there are, and which of them stay', () => {
  const back = step(true, 'Put it back');
  expect(summary(plan('isolate', [back]))).toBe('1 change. It can be put back.');
  expect(summary(plan('isolate', [back, back]))).toBe('2 changes. All of them can be put back.');
  expect(summary(plan('isolate', [back, step(true, '')]))).toBe(
    '2 changes. 1 of them cannot be put back.',
  );
  expect(summary(plan('collect', [step(false, '')]))).toMatch(/only read/);
});

test('what stops working is said once', () => {
  const steps = [step(true, 'x', ['No network.']), step(true, 'y', ['No network.', 'No role.'])];
  expect(breakage(plan('isolate', steps))).toEqual(['No network.', 'No role.']);
});

test('a run that nobody is at any more is said to have stopped', () => {
  expect(standing(run({ state: 'applying' })).word).toBe('isolating');
  const old = run({ state: 'applying', working: false, started: '2026-01-01T00:00:00Z' });
  expect(stale(old)).toBe(true);
  expect(standing(old).word).toBe('stopped half-way');
  expect(standing(run({ state: 'done' })).word).toBe('isolated');
  expect(standing(run({ state: 'done', verb: 'collect' })).word).toBe('collected');
});

test('a step of which nothing stands, since it was refused, has failed and is not to come', () => {
  const taken = (values: Partial<StepTaken>) =>
    ({ state: 'planned', evidence: [] as string[], error: '', ...values }) as StepTaken;
  expect(stepStanding(taken({})).word).toBe('to come');
  expect(stepStanding(taken({ error: 'ec2:DescribeTags is not allowed.' })).word).toBe('failed');
});

test('what is kept says so, and which progress is that of its copies', () => {
  const kept = run({ state: 'applying', verb: 'collect', kept: true });
  expect(standing(kept).word).toBe('kept, reading on');
  expect(standing({ ...kept, kept: false }).word).toBe('collecting');
  const part = { state: 'kept', target: { id: 'i-0abc' } } as Part;
  expect(isCopying('Collecting i-0abc', part)).toBe(true);
  expect(isCopying('Isolating i-0abc', part)).toBe(false);
  expect(isCopying('Collecting i-0abc', { ...part, state: 'done' })).toBe(false);
  const steps = [false, true, true].map((from_copy, at) => ({ key: `${at}`, from_copy }));
  expect(firstCopy(steps)).toBe('1');
  expect(firstCopy(steps.slice(0, 1))).toBe(undefined);
});

test('who has to agree, and how much time is left', () => {
  const one = (values: Partial<PlaybookRun>) => values as PlaybookRun;
  expect(awaited(one({ approvers: 1, agreed: 0 }))).toBe('somebody');
  expect(awaited(one({ approvers: 2, agreed: 0 }))).toBe('2 different people');
  expect(awaited(one({ approvers: 2, agreed: 1 }))).toBe('one more person');
  const at = Date.parse('2026-11-26T12:00:00Z');
  expect(leftOf(one({ lapses: '2026-11-26T13:30:00.000000Z' }), at)).toBe('1 h 30 min left');
  expect(leftOf(one({ lapses: '2026-11-26T11:59:59.000000Z' }), at)).toBe('its time is over');
  expect(leftOf(one({ lapses: null }), at)).toBe('');
});

test('a captured state is readable whatever it is made of', () => {
  expect(shown(null)).toBe('none');
  expect(shown({ member: true, groups: ['a', 'b'], policy: null, size: 2 })).toBe(
    'member: yes; groups: a, b; policy: none; size: 2',
  );
  expect(shown({ policy: { Statement: [] } })).toBe('policy: {"Statement":[]}');
});

test('only what was put back and judged counts as compared', () => {
  const taken = (state: string, holds: boolean | null) =>
    ({ state, verdict: { holds, signal: '', detail: '' } }) as StepTaken;
  const all = [taken('undone', true), taken('undone', false), taken('left', null)];
  expect(compared(all)).toEqual({ same: 1, judged: 2 });
});

test('a step of a playbook is the end of a sentence', () => {
  const part = { does: 'isolate', title: 'Isolate an access key', target: { id: 'AKIA1' } };
  expect(partSentence(part as Part)).toBe('isolate an access key: AKIA1');
  expect(partSentence({ ...part, does: 'notify', what: 'all' } as Part)).toMatch(/everybody/);
});
