// SPDX-License-Identifier: Apache-2.0
// One step as it went: how far, what was there before, what came of it, what it took.
import { Link } from '@tanstack/react-router';
import { Check, CircleAlert, CircleDashed, FileCheck2, Undo2 } from 'lucide-react';
import type { StepTaken } from '../api/contract';
import frame from '../case/case.module.css';
import { Name, Value } from '../text/Value';
import { Call, FromHere } from './PlanView';
import sheet from './respond.module.css';
import styles from './run.module.css';
import { shown, stepStanding } from './telling';

const ICONS = { good: Check, bad: CircleAlert, warn: CircleAlert, '': CircleDashed };

/** `copies` is the target when this is the first step that reads a copy of it. */
export function Taken(props: { one: StepTaken; name: string; copies?: string }) {
  const { one } = props;
  const { word, tone } = stepStanding(one);
  const Icon = one.state === 'undone' ? Undo2 : tone === 'busy' ? null : ICONS[tone];
  const gap = lacking(one.outcome);
  const prior = one.prior !== null && one.prior !== undefined;
  return (
    <li className={styles.takenStep} data-tone={tone || undefined}>
      {props.copies && <FromHere target={props.copies} />}
      <span className={styles.takenIcon}>
        {Icon ? <Icon size={14} aria-hidden /> : <span className={frame.spinner} />}
      </span>
      <div className={styles.takenText}>
        <span>
          <Value text={one.title} limit={400} />
        </span>
        <Call call={one.call} given={one.arguments} />
        {one.error && (
          <span className={sheet.wrong}>
            <Value text={one.error} limit={1000} />
          </span>
        )}
        {gap && (
          <span className={sheet.breaking}>
            Not collected: <Value text={gap} limit={600} />
          </span>
        )}
        {one.state === 'undone' && one.verdict ? (
          <Comparison one={one} />
        ) : (
          <>
            {prior && (
              <span className="faint">
                Before: <Value text={shown(one.prior)} limit={500} />
              </span>
            )}
            {one.verdict && (
              <span className={one.verdict.holds === false ? sheet.wrong : 'faint'}>
                {one.verdict.holds === null
                  ? 'Not known yet whether it holds'
                  : one.verdict.holds
                    ? 'It holds'
                    : 'It does not hold'}
                , by <Value text={one.verdict.signal} limit={200} />
                {one.verdict.detail && (
                  <>
                    : <Value text={one.verdict.detail} limit={300} />
                  </>
                )}
              </span>
            )}
          </>
        )}
        {one.evidence.map((each) => (
          <Link
            key={each.id}
            className={styles.kept}
            to="/cases/$case/custody"
            params={{ case: props.name }}
            search={{ view: 'exhibits', id: each.id }}
          >
            <FileCheck2 size={13} aria-hidden />
            <Name text={each.name} />
            <span className="mono faint">{each.id.slice(0, 12)}</span>
          </Link>
        ))}
      </div>
      <span className={frame.badge} data-tone={tone || undefined}>
        {word}
      </span>
    </li>
  );
}

/** The answers before and after, side by side. */
function Comparison(props: { one: StepTaken }) {
  const { prior, verdict } = props.one;
  return (
    <dl className={styles.comparison} data-same={verdict?.holds || undefined}>
      <dt>Before</dt>
      <dd>
        <Value text={shown(prior)} limit={500} />
      </dd>
      <dt>After release</dt>
      <dd>
        {verdict?.holds ? (
          <>
            <Check size={12} aria-hidden /> the same
          </>
        ) : verdict?.holds === null ? (
          <>
            cannot be compared: <Value text={verdict.detail} limit={500} />
          </>
        ) : (
          <Value text={verdict?.detail ?? ''} limit={1000} />
        )}
      </dd>
    </dl>
  );
}

function lacking(outcome: unknown): string {
  if (typeof outcome !== 'object' || outcome === null) return '';
  const said = (outcome as Record<string, unknown>)['not collected'];
  return typeof said === 'string' ? said : '';
}
