// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleAlert, ListTree, SearchX } from 'lucide-react';
import type { Problem } from '../api/contract';
import { oneCase } from '../api/queries';
import { Nothing } from '../shell/States';
import type { Searching } from './search';

/** In place of rows when the query has a mistake; the search field marks where. */
export function NotUnderstood(props: { problem: Problem }) {
  return (
    <Nothing icon={<CircleAlert size={20} />} title="This query cannot be understood">
      <p>{props.problem.message ?? props.problem.detail}</p>
      <p className="faint">
        Mend the place that is marked in the search field. <kbd>/</kbd> leads there.
      </p>
    </Nothing>
  );
}

/** In place of rows when there are none: why, and what to do next. */
export function NoRows(props: { searching: Searching }) {
  const { name, address, change } = props.searching;
  // Asked anew: evidence may have been added since the case was last looked at.
  const one = useQuery({ ...oneCase(name), staleTime: 0, refetchOnMount: 'always' });
  const searched = Boolean(address.q || address.f || address.from || address.to);
  if (!searched || (one.data?.events === 0 && !one.isFetching)) {
    return (
      <Nothing
        icon={<ListTree size={20} />}
        title="The timeline has no events yet"
        actions={
          <Link to="/cases/$case/evidence" params={{ case: name }}>
            <Button component="span">Add evidence</Button>
          </Link>
        }
      >
        <p>Events appear here while evidence is being read, the first ones within seconds.</p>
      </Nothing>
    );
  }
  return (
    <Nothing
      icon={<SearchX size={20} />}
      title="Nothing matches"
      actions={
        <>
          {(address.from || address.to) && (
            <Button variant="default" onClick={() => change({ from: undefined, to: undefined })}>
              Search the whole span
            </Button>
          )}
          {address.f && (
            <Button variant="default" onClick={() => change({ f: undefined })}>
              Take the filters away
            </Button>
          )}
          <Button
            variant="default"
            onClick={() => change({ q: undefined, f: undefined, from: undefined, to: undefined })}
          >
            Show everything
          </Button>
        </>
      }
    >
      <p>
        Words are looked for whole; write <code>*word*</code> to find a part of one.
      </p>
    </Nothing>
  );
}
