// SPDX-License-Identifier: Apache-2.0
// Entries of the ledger, told, newest first: of a case, of one exhibit, or of the installation.
import { Button, SegmentedControl, Select } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { ScrollText } from 'lucide-react';
import { type ReactNode, useMemo } from 'react';
import type { CustodyEntry } from '../api/contract';
import { custodyEntries, custodyTally, ENTRIES_WINDOW, type EntriesAsked } from '../api/custody';
import { Bones, Failed, Nothing } from '../shell/States';
import { count } from '../text/number';
import styles from './custody.module.css';
import { Deed } from './Deed';
import { grouped, KINDS } from './telling';

export function Entries(props: {
  name: string;
  asked: EntriesAsked;
  life?: boolean;
  about?: (entry: CustodyEntry) => ReactNode;
}) {
  const { name, asked } = props;
  const found = useInfiniteQuery({
    queryKey: ['custody', name, 'entries', asked],
    queryFn: ({ pageParam, signal }) => custodyEntries(name, asked, pageParam, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page: CustodyEntry[]) =>
      page.length < ENTRIES_WINDOW ? undefined : page[page.length - 1]?.sequence,
  });
  const groups = useMemo(() => grouped(found.data?.pages.flat() ?? []), [found.data]);
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  if (!found.data) return <Bones rows={10} height={22} />;
  if (groups.length === 0) {
    return (
      <Nothing icon={<ScrollText size={20} />} title="Nothing of this kind has happened">
        <p>Choose another kind or another person.</p>
      </Nothing>
    );
  }
  return (
    <>
      <ol className={styles.deeds} aria-label="What happened, latest first">
        {groups.map((group) => (
          <Deed
            key={group.entry.sequence}
            group={group}
            name={name}
            life={props.life}
            about={props.about}
          />
        ))}
      </ol>
      {found.hasNextPage && (
        <Button
          variant="default"
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
          style={{ justifySelf: 'center' }}
        >
          Earlier entries
        </Button>
      )}
    </>
  );
}

/** Narrows entries to one kind and, where `who` can be chosen, to one person. */
export function Filters(props: {
  name: string;
  kinds: string[];
  kind?: string;
  setKind: (kind: string | undefined) => void;
  who?: string;
  setWho?: (who: string | undefined) => void;
}) {
  const tally = useQuery({ ...custodyTally(props.name), enabled: Boolean(props.setWho) });
  const people = Object.entries(tally.data?.actors ?? {});
  return (
    <div className={styles.filters}>
      <SegmentedControl
        size="xs"
        aria-label="Kind of entry"
        value={props.kind && props.kinds.includes(props.kind) ? props.kind : ''}
        onChange={(kind) => props.setKind(kind || undefined)}
        data={[
          { value: '', label: 'All' },
          ...props.kinds.map((kind) => ({ value: kind, label: KINDS[kind]?.title ?? kind })),
        ]}
      />
      {props.setWho && (
        <Select
          aria-label="Person"
          placeholder="Anybody"
          size="xs"
          w={220}
          clearable
          searchable
          data={people.map(([value, times]) => ({ value, label: `${value} (${count(times)})` }))}
          value={props.who ?? null}
          onChange={(who) => props.setWho?.(who ?? undefined)}
        />
      )}
    </div>
  );
}
