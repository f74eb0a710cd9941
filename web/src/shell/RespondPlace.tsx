// SPDX-License-Identifier: Apache-2.0
// The place of responding on the rail: how many runs wait for whoever is signed in, else how many
// alerts came since they last looked. It says so once, in words, and nothing blinks.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Siren } from 'lucide-react';
import { awaiting } from '../api/respond';
import { counted } from '../text/number';
import { usePreferences } from '../theme/preferences';
import styles from './shell.module.css';

export function RespondPlace() {
  const { alertsSeen } = usePreferences();
  const { approvals, alerts } = useQuery(awaiting(alertsSeen)).data ?? NOTHING;
  const told = said(approvals, alerts);
  const number = approvals || alerts;
  return (
    <Link to="/respond" className={styles.place} title={told || undefined}>
      <span className={styles.withBadge}>
        <Siren size={18} aria-hidden />
        {number > 0 && (
          <span className={styles.badge} data-waits={approvals > 0 || undefined} aria-hidden>
            {number > MOST ? `${MOST}+` : number}
          </span>
        )}
      </span>
      Respond
      <span className="hidden-word" role="status">
        {told}
      </span>
    </Link>
  );
}

const NOTHING = { approvals: 0, alerts: 0 };
const MOST = 99;

export function said(approvals: number, alerts: number): string {
  const parts = [];
  if (approvals > 0) {
    parts.push(`${counted(approvals, 'run waits', 'runs wait')} for you to agree`);
  }
  if (alerts > 0) parts.push(counted(alerts, 'new alert'));
  return parts.join(', ');
}
