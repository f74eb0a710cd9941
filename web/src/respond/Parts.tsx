// SPDX-License-Identifier: Apache-2.0
// The steps of a playbook's run, each with how far it has come.
import { Link } from '@tanstack/react-router';
import { Ban, Check, CircleAlert, CircleDashed } from 'lucide-react';
import { use } from 'react';
import type { Part, PlaybookRun } from '../api/contract';
import frame from '../case/case.module.css';
import { ProgressContext } from '../case/progress';
import { isRunning, ProgressLine } from '../shell/Progress';
import { Value } from '../text/Value';
import styles from './respond.module.css';
import { isCopying, partSentence } from './telling';

const ICONS: Record<string, typeof Check> = {
  done: Check,
  failed: CircleAlert,
  refused: Ban,
  pending: CircleDashed,
};
const COLOURS: Record<string, string> = {
  done: 'var(--good)',
  failed: 'var(--bad)',
  refused: 'var(--warn)',
  pending: 'var(--faint)',
};

export function Parts(props: { one: PlaybookRun }) {
  const { one } = props;
  return (
    <ol className={styles.parts}>
      {one.parts.map((part) => (
        <PartLine key={part.number} part={part} name={one.case} />
      ))}
    </ol>
  );
}

function PartLine(props: { part: Part; name: string }) {
  const { part } = props;
  const Icon = ICONS[part.state];
  const copying = use(ProgressContext).filter(
    (each) => isRunning(each) && isCopying(each.what, part),
  );
  return (
    <li className={styles.partLine}>
      <span style={{ color: COLOURS[part.state] }}>
        {Icon ? <Icon size={14} aria-label={part.state} /> : <span className={frame.spinner} />}
      </span>
      <span>
        {capital(partSentence(part))}
        {part.state === 'kept' && (
          <small className="muted" style={{ display: 'block' }}>
            Kept: isolating takes nothing from it any more. The rest is still read from copies that
            stand, while what comes after goes on.
          </small>
        )}
        {part.state === 'failed' && part.kept && (
          <small className="muted" style={{ display: 'block' }}>
            What isolating could take is kept all the same, and what the rest is read from stands:
            follow it, and carry it on.
          </small>
        )}
        {copying.map((each) => (
          <ProgressLine key={each.job} progress={each} />
        ))}
        {part.error && (
          <small className={styles.wrong} style={{ display: 'block' }}>
            <Value text={part.error} limit={1000} />
          </small>
        )}
      </span>
      {part.run && (
        <Link to="/cases/$case/respond/$run" params={{ case: props.name, run: part.run }}>
          Follow it
        </Link>
      )}
    </li>
  );
}

export function CaseLink(props: { one: PlaybookRun }) {
  return (
    <Link to="/cases/$case/respond" params={{ case: props.one.case }} search={{}}>
      case {props.one.case}
    </Link>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
