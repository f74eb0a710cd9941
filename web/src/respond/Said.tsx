// SPDX-License-Identifier: Apache-2.0
// What responding has to say in the story of a case: who is waited for, and what is isolated.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { runs, waitingRuns } from '../api/respond';
import { counted } from '../text/number';

export function RespondSaid(props: { name: string }) {
  const { name } = props;
  const found = useInfiniteQuery(waitingRuns(name));
  const waiting = found.data?.pages.flatMap((page) => page.runs).length ?? 0;
  const more = found.hasNextPage ? 'More than ' : '';
  const isolated = useInfiniteQuery(runs(name, '')).data?.pages.at(-1)?.isolated ?? 0;
  const link = (text: string) => (
    <Link to="/cases/$case/respond" params={{ case: name }} search={{}}>
      {text}
    </Link>
  );
  return (
    <>
      {waiting > 0 && (
        <>
          {link(more + counted(waiting, 'playbook'))} {waiting === 1 ? 'waits' : 'wait'} for
          somebody to agree.{' '}
        </>
      )}
      {isolated > 0 && (
        <>
          {link(counted(isolated, 'target'))} {isolated === 1 ? 'is' : 'are'} isolated until
          somebody releases {isolated === 1 ? 'it' : 'them'}.{' '}
        </>
      )}
    </>
  );
}
