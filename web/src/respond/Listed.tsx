// SPDX-License-Identifier: Apache-2.0
// What lists of runs share: a filter above, and the older ones on demand below.
import { Button, SegmentedControl } from '@mantine/core';
import styles from './respond.module.css';

/** Which of a list are shown. */
export function Filter<Word extends string>(props: {
  label: string;
  words: Record<Word, string>;
  chosen: Word;
  choose: (word: Word) => void;
}) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={`${props.label}: which are shown`}
      data={Object.entries<string>(props.words).map(([value, label]) => ({ value, label }))}
      value={props.chosen}
      onChange={(value) => props.choose(value as Word)}
    />
  );
}

/** The button that shows what is older, while there is more. */
export function Older(props: {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  const { list } = props;
  if (!list.hasNextPage) return null;
  return (
    <div className={styles.older}>
      <Button
        size="compact-sm"
        variant="default"
        loading={list.isFetchingNextPage}
        onClick={() => void list.fetchNextPage()}
      >
        Show older ones
      </Button>
    </div>
  );
}
