// SPDX-License-Identifier: Apache-2.0
// What responding has to say in the story of a case: who is waited for, and what is isolated.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { runs, waitingRuns } from '../api/respond';
import { counted } from '../text/number';

export function RespondSaid(props: { name: string }) {
  const { name } = props;
  const waiting = useQuery(waitingRuns(name)).data?.runs.length ?? 0;
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
          {link(counted(waiting, 'playbook'))} {waiting === 1 ? 'waits' : 'wait'} for somebody to
          agree.{' '}
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
