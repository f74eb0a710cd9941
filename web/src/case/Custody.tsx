// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ScrollText } from 'lucide-react';
import type { CustodyEntry } from '../api/contract';
import { custodyPage } from '../api/queries';
import { Bones, Failed, Nothing } from '../shell/States';
import { told } from '../text/time';
import { leaf, Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './case.module.css';
import { ExportBundle } from './ExportBundle';

export function Custody() {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const ledger = useInfiniteQuery({
    queryKey: ['custody', name],
    queryFn: ({ pageParam, signal }) => custodyPage(name, pageParam, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page: CustodyEntry[]) =>
      page.length < 200 ? undefined : page[page.length - 1]?.sequence,
  });
  if (ledger.isError && !ledger.data) {
    return <Failed error={ledger.error} again={() => void ledger.refetch()} />;
  }
  const entries = ledger.data?.pages.flat();
  if (entries?.length === 0) {
    return (
      <Nothing icon={<ScrollText size={20} />} title="Nothing has happened to evidence yet">
        <p>Every time evidence is added, opened, proved or exported, a line is written here.</p>
      </Nothing>
    );
  }
  return (
    <div className={styles.body}>
      <div className={styles.sheet} style={{ gap: 14 }}>
        <p className="muted" style={{ margin: 0, maxWidth: '80ch' }}>
          Each line is signed and a leaf of one tree of hashes, so no line can be changed or taken
          out unnoticed. Latest first.
        </p>
        <ExportBundle name={name} />
        {!entries ? (
          <Bones rows={12} height={22} />
        ) : (
          <section className={styles.panel}>
            {entries.map((entry) => (
              <Entry key={entry.sequence} entry={entry} name={name} />
            ))}
          </section>
        )}
        {ledger.hasNextPage && (
          <Button
            variant="default"
            loading={ledger.isFetchingNextPage}
            onClick={() => void ledger.fetchNextPage()}
            style={{ justifySelf: 'center' }}
          >
            Earlier entries
          </Button>
        )}
      </div>
    </div>
  );
}

const TONES: Record<string, string> = {
  acquired: 'good',
  verified: 'good',
  'verification-failed': 'bad',
  exported: 'warn',
};

function Entry(props: { entry: CustodyEntry; name: string }) {
  const { entry } = props;
  const { zone } = usePreferences();
  const label = entry.name ? leaf(entry.name) : `${entry.evidence.slice(0, 12)}…`;
  return (
    <div className={styles.entry}>
      <span className="mono faint number">#{entry.sequence}</span>
      <span className="mono number muted">{told(entry.time, zone).replace(/\.\d+ /, ' ')}</span>
      <span>
        <strong>
          <Value text={entry.actor} limit={80} />
        </strong>{' '}
        <span className={styles.badge} data-tone={TONES[entry.verb]} style={{ padding: '1px 8px' }}>
          {entry.verb}
        </span>{' '}
        {entry.evidence && (
          <Link
            to="/cases/$case/evidence"
            params={{ case: props.name }}
            search={{ id: entry.evidence }}
            title={entry.name ?? entry.evidence}
          >
            <Value text={label} limit={160} />
          </Link>
        )}
        {entry.reason && (
          <span className="muted">
            {' '}
            — <Value text={entry.reason} limit={300} />
          </span>
        )}
      </span>
      <span className={styles.chain} title={`Leaf ${entry.hash} of the ledger’s tree`}>
        {entry.hash.slice(0, 10)}
      </span>
    </div>
  );
}
