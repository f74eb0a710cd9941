// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CloudCog } from 'lucide-react';
import type { Run } from '../api/contract';
import { runs as runsQuery } from '../api/queries';
import frame from '../case/case.module.css';
import { Bones, Failed, Nothing } from '../shell/States';
import { counted } from '../text/number';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './respond.module.css';
import { isGoing, standing } from './telling';

/** What was done for the case, the newest first; what still stands in a cloud is said first. */
export function Runs(props: { name: string }) {
  const found = useQuery(runsQuery(props.name));
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  if (!found.data) return <Bones rows={5} height={24} />;
  if (found.data.length === 0) {
    return (
      <Nothing icon={<CloudCog size={20} />} title="Nothing was done yet">
        <p>
          Name a target above, or open an event of the timeline that names one: an instance, a user,
          a role, an access key. It offers to collect from it and to isolate it.
        </p>
      </Nothing>
    );
  }
  const isolated = found.data.filter((one) => one.standing > 0 && !isGoing(one));
  return (
    <section className={frame.panel}>
      <h2>
        <CloudCog size={15} /> What was done
        <span className="muted">
          {isolated.length > 0
            ? `${counted(isolated.length, 'target')} still isolated`
            : 'nothing is isolated now'}
        </span>
      </h2>
      <div className={styles.table}>
        <table>
          <thead>
            <tr>
              <th>Target</th>
              <th>What</th>
              <th>State</th>
              <th>Steps</th>
              <th>Begun</th>
              <th>Why</th>
            </tr>
          </thead>
          <tbody>
            {found.data.map((one) => (
              <Line key={one.run} one={one} name={props.name} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Line(props: { one: Run; name: string }) {
  const { one } = props;
  const { zone } = usePreferences();
  return (
    <tr>
      <td>
        <Link to="/cases/$case/respond/$run" params={{ case: props.name, run: one.run }}>
          <span className={`mono ${styles.whole}`}>
            <Value text={one.target.id} limit={80} />
          </span>
        </Link>
        <small className="faint">
          {one.account}
          {one.target.region && `, ${one.target.region}`}
        </small>
      </td>
      <td>
        <Value text={one.title} limit={120} />
      </td>
      <td>
        <RunState one={one} />
      </td>
      <td className="number">
        {one.done} of {one.steps}
      </td>
      <td>
        {short(one.started, zone)}
        <small className="faint">
          <Value text={one.rule ? `playbook ${one.rule}` : one.who} limit={80} />
        </small>
      </td>
      <td className="muted">
        <Value text={one.reason} limit={200} />
      </td>
    </tr>
  );
}

export function RunState(props: { one: Run }) {
  const { word, tone } = standing(props.one);
  return (
    <span className={frame.badge} data-tone={tone || undefined}>
      {tone === 'busy' && <span className={frame.spinner} />}
      {word}
    </span>
  );
}
