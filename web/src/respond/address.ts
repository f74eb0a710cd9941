// SPDX-License-Identifier: Apache-2.0
// What the address of the section holds: the target that is looked at and what is to be done to it.
import { type Only, PLAYBOOK_STATES } from '../api/respond';

export interface RespondAddress {
  verb?: 'collect' | 'isolate';
  target?: string;
  account?: string;
  region?: string;
  /** Which runs are shown. */
  runs?: Only;
  /** Runs of playbooks in which state are shown. */
  playbooks?: string;
}

const ONLY: Only[] = ['going', 'isolated', 'failed', 'released'];

export function readRespondAddress(search: Record<string, unknown>): RespondAddress {
  const text = (value: unknown) =>
    typeof value === 'string' && value.trim() && value.length <= 300 ? value : undefined;
  return {
    verb: search.verb === 'collect' || search.verb === 'isolate' ? search.verb : undefined,
    target: text(search.target),
    account: text(search.account),
    region: text(search.region),
    runs: ONLY.find((each) => each === search.runs),
    playbooks: PLAYBOOK_STATES.find((each) => each === search.playbooks),
  };
}

export const VIEWS = ['alerts', 'playbooks', 'accounts'] as const;
export type View = (typeof VIEWS)[number];

export interface RespondingAddress {
  view?: View;
  /** The alert that is looked at. */
  alert?: string;
  /** The playbook that is looked at. */
  playbook?: string;
  /** Runs of playbooks in which state are shown. */
  playbooks?: string;
}

export function readRespondingAddress(search: Record<string, unknown>): RespondingAddress {
  const text = (value: unknown) =>
    typeof value === 'string' && value && value.length <= 200 ? value : undefined;
  return {
    view: VIEWS.find((each) => each === search.view),
    alert: text(search.alert),
    playbook: text(search.playbook),
    playbooks: PLAYBOOK_STATES.find((each) => each === search.playbooks),
  };
}
