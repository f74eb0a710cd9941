// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { Check } from 'lucide-react';
import { roles } from '../api/queries';
import frame from '../case/case.module.css';
import styles from './people.module.css';

/** What each role may do: the server's own table. */
export function RoleTable() {
  const table = useQuery(roles()).data;
  if (!table) return null;
  return (
    <section className={frame.panel}>
      <h2>What each role may do</h2>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th>May</th>
              {table.roles.map((one) => (
                <th key={one.role} style={{ textAlign: 'center' }}>
                  {one.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.permissions.map((one) => (
              <tr key={one.permission}>
                <td>
                  {one.allows}
                  {one.installation && <span className="faint"> (as a role for all cases)</span>}
                </td>
                {table.roles.map((each) => (
                  <td key={each.role} className={styles.yes}>
                    {one.roles.includes(each.role) && (
                      <Check size={15} role="img" aria-label="yes" />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
