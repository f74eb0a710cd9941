// SPDX-License-Identifier: Apache-2.0
// The whole ledger of a case, every entry told, narrowed by kind and person.
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { CustodyEntry } from '../api/contract';
import frame from '../case/case.module.css';
import { leaf, Value } from '../text/Value';
import { Entries, Filters } from './Entries';
import { KINDS } from './telling';

export function Ledger(props: { name: string }) {
  const { name } = props;
  const search = useSearch({ from: '/inside/cases/$case/custody' });
  const navigate = useNavigate({ from: '/cases/$case/custody' });
  const kind = search.kind ? KINDS[search.kind] : undefined;
  const asked = useMemo(() => ({ verb: kind?.verbs, actor: search.who }), [kind, search.who]);
  const about = useCallback(
    (entry: CustodyEntry) =>
      entry.evidence ? (
        <Link
          to="/cases/$case/custody"
          params={{ case: name }}
          search={{ id: entry.evidence }}
          title={entry.name ?? entry.evidence}
        >
          {entry.exhibit && <span className="mono">{entry.exhibit} </span>}
          <Value
            text={entry.name ? leaf(entry.name) : `${entry.evidence.slice(0, 12)}…`}
            limit={160}
          />
        </Link>
      ) : null,
    [name],
  );
  return (
    <div className={frame.body}>
      <div className={frame.sheet} style={{ gap: 14 }}>
        <p className="muted" style={{ margin: 0, maxWidth: '80ch' }}>
          Each entry is signed and a leaf of one tree: none can be changed, taken out, added or
          swapped unnoticed. Latest first.
        </p>
        <Filters
          name={name}
          kinds={['taken', 'read', 'checked', 'kept', 'left', 'trouble']}
          kind={search.kind}
          setKind={(next) =>
            void navigate({ search: (now) => ({ ...now, kind: next }), replace: true })
          }
          who={search.who}
          setWho={(who) => void navigate({ search: (now) => ({ ...now, who }), replace: true })}
        />
        <Entries name={name} asked={asked} about={about} />
      </div>
    </div>
  );
}
