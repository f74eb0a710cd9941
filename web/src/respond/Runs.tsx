// SPDX-License-Identifier: Apache-2.0
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CloudCog } from 'lucide-react';
import type { Run } from '../api/contract';
import { type Only, runs as runsQuery } from '../api/respond';
import frame from '../case/case.module.css';
import { Bones, Failed, Nothing } from '../shell/States';
import { counted } from '../text/number';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { Filter, Older } from './Listed';
import styles from './respond.module.css';
import { standing } from './telling';

const WORDS: Record<Only, string> = {
  '': 'All',
  going: 'Under way',
  isolated: 'Isolated',
  failed: 'Failed',
  released: 'Released',
};

/** What was done for the case, the newest first; what still stands in a cloud is said first. */
export function Runs(props: { name: string; only: Only; choose: (only: Only) => void }) {
  const { only } = props;
  const found = useInfiniteQuery(runsQuery(props.name, only));
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  if (!found.data) return <Bones rows={5} height={24} />;
  const runs = found.data.pages.flatMap((page) => page.runs);
  if (runs.length === 0 && !only) {
    return (
      <Nothing icon={<CloudCog size={20} />} title="Nothing was done yet">
        <p>
          Name a target above, or open an event of the timeline that names one: an instance, a user,
          a role, an access key. It offers to collect from it and to isolate it.
        </p>
      </Nothing>
    );
  }
  const isolated = found.data.pages.at(-1)?.isolated ?? 0;
  return (
    <section className={frame.panel}>
      <h2>
        <CloudCog size={15} /> What was done
        <span className="muted">
          {isolated > 0
            ? `${counted(isolated, 'target')} still isolated`
            : 'nothing is isolated now'}
        </span>
        <span className={frame.push} />
        <Filter label="Runs" words={WORDS} chosen={only} choose={props.choose} />
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
            {runs.map((one) => (
              <Line key={one.run} one={one} name={props.name} />
            ))}
          </tbody>
        </table>
      </div>
      {runs.length === 0 && <p className={styles.none}>None is in this state.</p>}
      <Older list={found} />
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
