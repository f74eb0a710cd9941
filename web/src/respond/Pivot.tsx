// SPDX-License-Identifier: Apache-2.0
// What an event names that something can be done to, with the way there.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Download, ShieldAlert } from 'lucide-react';
import { useMay } from '../access/may';
import type { FullEvent } from '../api/contract';
import { cloudActions } from '../api/respond';
import { Value } from '../text/Value';
import styles from './respond.module.css';
import { pivots } from './targets';

export function RespondPivots(props: { one: FullEvent; name: string }) {
  const { may } = useMay('respond', props.name);
  const actions = useQuery({ ...cloudActions(), enabled: may });
  const found = may ? pivots(actions.data ?? [], props.one) : [];
  if (found.length === 0) return null;
  return (
    <ul className={styles.pivots} aria-label="Respond">
      {found.map((one) => (
        <li key={one.target}>
          <span className="muted">{one.kind}</span>
          <span className="mono clip" title={one.target}>
            <Value text={one.target} limit={120} />
          </span>
          {one.verbs.map((verb) => (
            <Link
              key={verb}
              to="/cases/$case/respond"
              params={{ case: props.name }}
              search={{ verb: verb as 'collect' | 'isolate', target: one.target }}
              data-danger={verb === 'isolate' || undefined}
            >
              {verb === 'isolate' ? <ShieldAlert size={13} /> : <Download size={13} />}
              {verb === 'isolate' ? 'Isolate…' : 'Collect…'}
            </Link>
          ))}
        </li>
      ))}
    </ul>
  );
}
