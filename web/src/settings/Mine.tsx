// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { either } from '../access/may';
import { cases, roles, session } from '../api/queries';
import { Section } from './Settings';
import styles from './settings.module.css';

/** What the person may do, in words, and whom to ask for more. */
export function Mine() {
  const me = useQuery(session()).data;
  const table = useQuery(roles()).data;
  const seen = useQuery(cases()).data;
  if (!me || !table) return null;
  const allows = (held: string[]) =>
    table.permissions.filter((one) => held.includes(one.permission)).map((one) => one.allows);
  const beyond = (seen ?? []).filter((one) => one.may.some((held) => !me.may.includes(held)));
  return (
    <Section title="What you may do">
      {me.may.length > 0 && (
        <div>
          <strong>In all cases</strong>
          <ul className={styles.plain}>
            {allows(me.may).map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
      )}
      {beyond.slice(0, 20).map((one) => (
        <div key={one.name}>
          <strong>
            In{' '}
            <Link to="/cases/$case" params={{ case: one.name }}>
              {one.name}
            </Link>
            {me.may.length > 0 && ' besides'}
          </strong>
          <ul className={styles.plain}>
            {allows(one.may.filter((held) => !me.may.includes(held))).map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </div>
      ))}
      {me.may.length === 0 && beyond.length === 0 && (
        <p style={{ margin: 0 }}>Nothing yet: no role was granted to you.</p>
      )}
      <p className="muted" style={{ margin: 0 }}>
        {me.groups.length > 0 && `You are in ${me.groups.join(', ')}. `}
        {me.ask.length > 0 && `For more, ask ${either(me.ask.slice(0, 5))}.`}
      </p>
    </Section>
  );
}
