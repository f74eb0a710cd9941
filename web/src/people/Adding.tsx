// SPDX-License-Identifier: Apache-2.0
// The form below a list by which one more is added to it.
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Gate } from '../access/Gate';
import type { Permission } from '../api/contract';
import settings from '../settings/settings.module.css';
import { Wrong } from './Given';
import styles from './people.module.css';

export function Adding(props: {
  ready: boolean;
  make: { mutate: () => void; isPending: boolean; error: unknown };
  /** What the form is, for those who hear it. */
  label?: string;
  button?: string;
  /** What it takes to send it, where the list shows itself to those too who may not. */
  permission?: Permission;
  children: ReactNode;
}) {
  const { ready, make } = props;
  const button = (
    <Button type="submit" size="sm" variant="default" disabled={!ready} loading={make.isPending}>
      {props.button ?? 'Add'}
    </Button>
  );
  return (
    <form
      className={styles.give}
      aria-label={props.label}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) make.mutate();
      }}
    >
      <div className={settings.form}>
        {props.children}
        {props.permission ? <Gate permission={props.permission}>{button}</Gate> : button}
      </div>
      <Wrong error={make.error} />
    </form>
  );
}

/** A list of people or groups: a head, and a row for each. */
export function Listed(props: { titles: string[]; children: ReactNode }) {
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            {props.titles.map((title) => (
              <th key={title}>{title}</th>
            ))}
            <th aria-label="Actions" />
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}
