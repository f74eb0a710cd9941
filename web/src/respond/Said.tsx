// SPDX-License-Identifier: Apache-2.0
// What responding has to say in the story of a case: who is waited for, and what is isolated.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { playbookRuns, runs } from '../api/queries';
import { counted } from '../text/number';

export function RespondSaid(props: { name: string }) {
  const { name } = props;
  const waiting = useQuery(playbookRuns(name)).data?.filter((one) => one.state === 'waiting') ?? [];
  const isolated = useQuery(runs(name)).data?.filter((one) => one.standing > 0) ?? [];
  const link = (text: string) => (
    <Link to="/cases/$case/respond" params={{ case: name }} search={{}}>
      {text}
    </Link>
  );
  return (
    <>
      {waiting.length > 0 && (
        <>
          {link(counted(waiting.length, 'playbook'))} {waiting.length === 1 ? 'waits' : 'wait'} for
          somebody to agree.{' '}
        </>
      )}
      {isolated.length > 0 && (
        <>
          {link(counted(isolated.length, 'target'))} {isolated.length === 1 ? 'is' : 'are'} isolated
          until somebody releases {isolated.length === 1 ? 'it' : 'them'}.{' '}
        </>
      )}
    </>
  );
}
