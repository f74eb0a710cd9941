// SPDX-License-Identifier: Apache-2.0
// One thing that happened: icon, sentence, who, from where, why; the signed entry one click away.
import {
  Archive,
  BadgeCheck,
  Clock,
  Cpu,
  Download,
  Eye,
  FileInput,
  Gavel,
  HandHelping,
  KeyRound,
  Lock,
  LockOpen,
  LogIn,
  type LucideIcon,
  PackageCheck,
  ScrollText,
  Search,
  ShieldAlert,
  Trash2,
  UserRound,
} from 'lucide-react';
import { memo, useState } from 'react';
import type { CustodyEntry } from '../api/contract';
import { count } from '../text/number';
import { told } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './deed.module.css';
import { EntryProof } from './EntryProof';
import { type Group, telling, whence } from './telling';

const ICONS: Record<string, LucideIcon> = {
  acquired: FileInput,
  derived: Archive,
  verified: BadgeCheck,
  'verification-failed': ShieldAlert,
  opened: Cpu,
  processed: Cpu,
  viewed: Eye,
  downloaded: Download,
  searched: Search,
  exported: PackageCheck,
  'transferred-out': HandHelping,
  'transferred-in': HandHelping,
  held: Lock,
  'hold-released': LockOpen,
  retained: Clock,
  'disposal-asked': Trash2,
  'disposal-agreed': Trash2,
  'disposal-refused': Trash2,
  disposed: Trash2,
  authorised: Gavel,
  failed: ShieldAlert,
  refused: ShieldAlert,
  'sign-in-refused': ShieldAlert,
  'clock-set-back': ShieldAlert,
  'loss-accepted': ShieldAlert,
  'key-introduced': KeyRound,
  'token-made': KeyRound,
  'token-revoked': KeyRound,
  'time-stamped': Clock,
  'time-stamp-missed': Clock,
  'authority-set': Clock,
  'signed-in': LogIn,
  'signed-out': LogIn,
  granted: UserRound,
  revoked: UserRound,
  'user-changed': UserRound,
};

export const Deed = memo(function Deed(props: {
  group: Group;
  /** The case, or nothing for entries about the installation. */
  name: string;
  /** Whether it is told in the life of one exhibit. */
  life?: boolean;
  /** What names the exhibit, where several are told of. */
  about?: (entry: CustodyEntry) => React.ReactNode;
}) {
  const { entry, entries } = props.group;
  const [open, setOpen] = useState(false);
  const { zone } = usePreferences();
  const Icon = ICONS[entry.verb] ?? ScrollText;
  const { sentence, more, tone } = telling(entry, props.life);
  const from = whence(entry);
  const oldest = entries.at(-1) ?? entry;
  return (
    <li className={styles.deed} data-tone={tone || undefined}>
      <span className={styles.deedIcon} aria-hidden>
        <Icon size={14} />
      </span>
      <div className={styles.deedText}>
        <span>
          <Sentence text={sentence} who={entry.actor} />
          {entries.length > 1 && <strong> · {count(entries.length)} times</strong>}
          {props.about && <> {props.about(entry)}</>}
        </span>
        {more && entries.length === 1 && (
          <span className="muted">
            <Value text={more} limit={300} />
          </span>
        )}
        {from && (
          <span className="faint" title={entry.agent}>
            <Value text={from} limit={120} />
          </span>
        )}
      </div>
      <div className={styles.deedWhen}>
        <time className="mono number muted" dateTime={entry.time} title={told(entry.time, zone)}>
          {told(entry.time, zone).replace(/\.\d+ /, ' ')}
        </time>
        <button
          type="button"
          className={styles.details}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {entries.length > 1
            ? `entries ${count(oldest.sequence)} to ${count(entry.sequence)}`
            : `entry ${count(entry.sequence)}`}
        </button>
      </div>
      {open && (
        <div className={styles.deedMore}>
          {entries.length > 1 ? (
            <ol className={styles.times}>
              {entries.slice(0, 200).map((each) => (
                <Each key={each.sequence} entry={each} name={props.name} zone={zone} />
              ))}
            </ol>
          ) : (
            <EntryProof name={props.name} sequence={entry.sequence} />
          )}
        </div>
      )}
    </li>
  );
});

function Each(props: { entry: CustodyEntry; name: string; zone: string }) {
  const [open, setOpen] = useState(false);
  const { entry } = props;
  return (
    <li>
      <span className="mono number muted">
        {told(entry.time, props.zone).replace(/\.\d+ /, ' ')}
      </span>
      <span>
        <Value text={telling(entry).more || entry.reason} limit={300} />
      </span>
      <button
        type="button"
        className={styles.details}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        entry {count(entry.sequence)}
      </button>
      {open && (
        <div style={{ gridColumn: '1 / -1' }}>
          <EntryProof name={props.name} sequence={entry.sequence} />
        </div>
      )}
    </li>
  );
}

function Sentence(props: { text: string; who: string }) {
  const [before, after] = props.text.split('{who}');
  const who = (
    <strong>
      <Value text={props.who || 'somebody unnamed'} limit={80} />
    </strong>
  );
  return (
    <>
      <Value text={before ?? ''} limit={400} />
      {after !== undefined && who}
      {after !== undefined && <Value text={after} limit={400} />}
    </>
  );
}
