// SPDX-License-Identifier: Apache-2.0
// Custody of one case: its exhibits and their lives, the ledger, how it is kept, and verifying now.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, CircleDashed } from 'lucide-react';
import { keeping, verification } from '../api/custody';
import type { View } from '../custody/address';
import styles from '../custody/custody.module.css';
import { Exhibits } from '../custody/Exhibits';
import { Keeping } from '../custody/Keeping';
import { Ledger } from '../custody/Ledger';
import { useVerifying, Verify, VerifyButton, VerifyProgress } from '../custody/Verify';
import { short } from '../text/time';
import { usePreferences } from '../theme/preferences';
import frame from './case.module.css';
import { ExportBundle } from './ExportBundle';

const TITLES: Record<View, string> = {
  exhibits: 'Exhibits',
  ledger: 'Ledger',
  keeping: 'Keeping',
  verify: 'Verify',
  export: 'Export',
};

export function Custody() {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const { view = 'exhibits' } = useSearch({ from: '/inside/cases/$case/custody' });
  const verifying = useVerifying(name);
  const { running, begin } = verifying;
  return (
    <div className={styles.page}>
      <div className={styles.bar}>
        <nav className={frame.views} aria-label="Views of custody">
          {Object.entries(TITLES).map(([each, title]) => (
            <Link
              key={each}
              to="/cases/$case/custody"
              params={{ case: name }}
              search={each === 'exhibits' ? {} : { view: each as View }}
              className={frame.view}
              aria-current={each === view ? 'page' : undefined}
              data-chosen={each === view || undefined}
            >
              {title}
            </Link>
          ))}
        </nav>
        <Standing name={name} />
        <span className={frame.push} />
        {view !== 'verify' && <VerifyButton verifying={verifying} />}
      </div>
      {view !== 'verify' && (running || begin.isError) && (
        <div className={frame.work} style={{ paddingBottom: 12 }}>
          <VerifyProgress verifying={verifying} />
        </div>
      )}
      {view === 'exhibits' && <Exhibits name={name} />}
      {view === 'ledger' && <Ledger name={name} />}
      {view === 'keeping' && <Keeping name={name} />}
      {view === 'verify' && <Verify name={name} verifying={verifying} />}
      {view === 'export' && (
        <div className={frame.body}>
          <div className={frame.sheet}>
            <ExportBundle name={name} />
          </div>
        </div>
      )}
    </div>
  );
}

/** How it stands, in one line: the last verdict, and what keeps the case. */
function Standing(props: { name: string }) {
  const verdict = useQuery(verification(props.name)).data?.verification;
  const kept = useQuery(keeping(props.name)).data;
  const { zone } = usePreferences();
  const to = { to: '/cases/$case/custody', params: { case: props.name } } as const;
  const tone = verdict ? (verdict.passed ? 'good' : 'bad') : undefined;
  const Icon = verdict ? (verdict.passed ? CircleCheck : CircleAlert) : CircleDashed;
  const holds = kept?.holds.filter((one) => !one.released).length ?? 0;
  const waiting = kept?.disposals.filter((one) => one.standing === 'asked').length ?? 0;
  return (
    <>
      <Link {...to} search={{ view: 'verify' }} className={frame.badge} data-tone={tone}>
        <Icon size={13} />
        {verdict
          ? `${verdict.passed ? 'nothing failed' : 'verification FAILED'} ${short(verdict.ended, zone)}`
          : 'never verified'}
      </Link>
      {holds > 0 && (
        <Link {...to} search={{ view: 'keeping' }} className={frame.badge} data-tone="busy">
          {holds === 1 ? 'legal hold' : `${holds} legal holds`}
        </Link>
      )}
      {waiting > 0 && (
        <Link {...to} search={{ view: 'keeping' }} className={frame.badge} data-tone="warn">
          {waiting === 1 ? 'a disposal' : `${waiting} disposals`} to decide
        </Link>
      )}
    </>
  );
}
