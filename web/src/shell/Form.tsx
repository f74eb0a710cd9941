// SPDX-License-Identifier: Apache-2.0
// A short form: fields on a line, the button that sends them, and what went wrong.
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Gate } from '../access/Gate';
import { Failure } from '../api/client';
import type { Permission } from '../api/contract';
import styles from './shell.module.css';

export function Form(props: {
  ready: boolean;
  send: { mutate: () => void; isPending: boolean; error: unknown };
  button: string;
  /** Whether sending it is what its place is for. */
  main?: boolean;
  /** What the form is, for those who hear it. */
  label?: string;
  /** What it takes to send it, where it is shown to those too who may not. */
  permission?: Permission;
  /** What is said of it below the fields. */
  note?: ReactNode;
  children: ReactNode;
}) {
  const { ready, send } = props;
  const button = (
    <Button
      type="submit"
      size="sm"
      variant={props.main ? 'filled' : 'default'}
      disabled={!ready}
      loading={send.isPending}
    >
      {props.button}
    </Button>
  );
  return (
    <form
      className={styles.form}
      aria-label={props.label}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) send.mutate();
      }}
    >
      <div className={styles.fields}>
        {props.children}
        {props.permission ? <Gate permission={props.permission}>{button}</Gate> : button}
      </div>
      {props.note}
      <Wrong error={send.error} />
    </form>
  );
}

/** What went wrong, and what to do. */
export function Wrong(props: { error: unknown }): ReactNode {
  if (!(props.error instanceof Failure)) return null;
  const { detail, advice } = props.error.problem;
  return (
    <p className={styles.wrong} role="alert">
      {detail} {advice}
    </p>
  );
}
