// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import type { FullEvent } from '../api/contract';
import { neighbours } from '../api/queries';
import { Bones } from '../shell/States';
import { clock } from '../text/time';
import { Value } from '../text/Value';
import { sourceColour } from '../theme/colours';
import { usePreferences } from '../theme/preferences';
import styles from './drawer.module.css';
import type { Searching } from './search';

const NEAR = 12;

/** What else happened within five minutes, whatever the source and the search. */
export function Neighbours(props: { one: FullEvent; searching: Searching }) {
  const { one, searching } = props;
  const { zone } = usePreferences();
  const found = useQuery({
    ...neighbours(searching.name, one.id, 5, NEAR),
    enabled: one.time !== null,
  });
  if (one.time === null) return null;
  const near = found.data?.events ?? [];
  const more = found.data?.before || found.data?.after;
  return (
    <section>
      <h3 className={styles.title}>
        Around it, ± 5 minutes, all sources
        <span style={{ flex: 1 }} />
        {more && <span className="faint">the {near.length} nearest of more</span>}
      </h3>
      {found.isPending && <Bones rows={5} />}
      {found.isError && <p className="faint">The neighbours could not be had.</p>}
      {near.length === 1 && <p className="faint">Nothing else is in these ten minutes.</p>}
      {near.length > 1 && (
        <div className={styles.neighbours}>
          {near.map((each) => {
            const read = each.time ? clock(each.time, zone) : null;
            return (
              <button
                type="button"
                key={each.id}
                data-self={each.id === one.id || undefined}
                style={{ '--edge': sourceColour(each.source) } as React.CSSProperties}
                title={each.source}
                onClick={() => searching.look({ event: each.id, row: undefined })}
              >
                <span className="mono faint">{read ? read.time : ''}</span>
                <span className="clip">
                  <Value
                    text={String(each.message ?? '') || String(each.action ?? '')}
                    limit={160}
                  />
                </span>
              </button>
            );
          })}
        </div>
      )}
    </section>
  );
}
