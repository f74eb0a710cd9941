// SPDX-License-Identifier: Apache-2.0
// What a view shows when it has nothing, is loading, or could not be had.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { CircleAlert, Lock, SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Failure } from '../api/client';
import styles from './shell.module.css';

export function Nothing(props: {
  icon?: ReactNode;
  title: string;
  /** It is all that there is at this address. */
  whole?: boolean;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  const Heading = props.whole ? 'h1' : 'h2';
  return (
    <div className={styles.state}>
      <span className={styles.stateIcon}>{props.icon ?? <SearchX size={20} />}</span>
      <Heading className={styles.stateTitle}>{props.title}</Heading>
      {props.children}
      {props.actions && <div className={styles.actions}>{props.actions}</div>}
    </div>
  );
}

/** What happened, what to try, and the id under which the log has it. */
export function Failed(props: { error: unknown; whole?: boolean; again?: () => void }) {
  const Heading = props.whole ? 'h1' : 'h2';
  const problem = props.error instanceof Failure ? props.error.problem : null;
  const mine = problem !== null && problem.status >= 400 && problem.status < 500;
  return (
    <div className={styles.state} role="alert">
      <span className={styles.stateIcon} data-bad>
        {problem?.status === 403 ? <Lock size={20} /> : <CircleAlert size={20} />}
      </span>
      <Heading className={styles.stateTitle}>
        {problem ? problem.detail || problem.title : 'The page has a defect'}
      </Heading>
      <p>
        {problem
          ? problem.advice ||
            (mine ? '' : 'Try again; if it stays, look into the log of the server.')
          : String(props.error instanceof Error ? props.error.message : props.error)}
      </p>
      {problem?.request_id && !mine && (
        <p className="faint">
          In the log as <code>{problem.request_id}</code>
        </p>
      )}
      <div className={styles.actions}>
        {(problem?.status === 404 || problem?.status === 403) && (
          <Link to="/cases">
            <Button component="span">All cases</Button>
          </Link>
        )}
        {props.again && (
          <Button variant="default" onClick={props.again}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

export function Bone(props: { width?: number | string; height?: number }) {
  return (
    <span
      className={styles.bone}
      style={{ width: props.width ?? '100%', height: props.height ?? 12 }}
      aria-hidden
    />
  );
}

export function Bones(props: { rows?: number; height?: number }) {
  return (
    <div style={{ display: 'grid', gap: 12 }} role="status" aria-label="Loading">
      {Array.from({ length: props.rows ?? 6 }, (_, at) => (
        <Bone key={at} height={props.height} width={`${92 - ((at * 17) % 40)}%`} />
      ))}
    </div>
  );
}

export function Crashed(props: { error: unknown }) {
  return <Failed whole error={props.error} again={() => window.location.reload()} />;
}

export function Lost() {
  return (
    <Nothing
      whole
      title="There is nothing at this address"
      actions={
        <Link to="/cases">
          <Button variant="default" component="span">
            All cases
          </Button>
        </Link>
      }
    />
  );
}
