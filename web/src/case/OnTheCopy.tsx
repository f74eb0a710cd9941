// SPDX-License-Identifier: Apache-2.0
import { Link } from '@tanstack/react-router';

/** Says of the triage of a disk that its rows stand in the timeline on the full copy, and leads there. */
export function OnTheCopy(props: { name: string; copy: string; to: 'evidence' | 'custody' }) {
  return (
    <>
      stand in the timeline as rows of{' '}
      <Link
        to={`/cases/$case/${props.to}`}
        params={{ case: props.name }}
        search={(now: object) => ({ ...now, id: props.copy })}
      >
        the full copy <span className="mono">{props.copy.slice(0, 16)}…</span>
      </Link>
      , where it gives them alike. A search for this evidence finds them too.
    </>
  );
}
