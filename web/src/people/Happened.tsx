// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { peopleCustody } from '../api/queries';
import frame from '../case/case.module.css';
import { Failed } from '../shell/States';
import { told } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './people.module.css';

const TONES: Record<string, string> = {
  'signed-in': 'good',
  'sign-in-refused': 'bad',
  refused: 'bad',
  granted: 'warn',
  revoked: 'warn',
};

/** The latest entries of the ledger about people: sign-ins, refusals and changes. */
export function Happened() {
  const found = useQuery(peopleCustody());
  const { zone } = usePreferences();
  return (
    <section className={frame.panel}>
      <h2>What happened</h2>
      {found.isError && <Failed error={found.error} again={() => void found.refetch()} />}
      <div className={styles.scroll} style={{ maxHeight: 420, overflowY: 'auto' }}>
        <table className={styles.table}>
          <tbody>
            {(found.data ?? []).map((entry) => (
              <tr key={entry.sequence}>
                <td className="mono faint number">#{entry.sequence}</td>
                <td className="mono number muted" style={{ whiteSpace: 'nowrap' }}>
                  {told(entry.time, zone).replace(/\.\d+ /, ' ')}
                </td>
                <td>
                  <strong>
                    <Value text={entry.actor} limit={60} />
                  </strong>
                </td>
                <td>
                  <span
                    className={frame.badge}
                    data-tone={TONES[entry.verb]}
                    style={{ padding: '1px 8px' }}
                  >
                    {entry.verb}
                  </span>
                </td>
                <td>
                  <Value text={entry.reason} limit={300} />
                </td>
                <td className="mono faint">
                  <Value text={entry.address} limit={60} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
