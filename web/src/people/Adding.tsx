// SPDX-License-Identifier: Apache-2.0
// The form below a list by which one more is added to it.
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import settings from '../settings/settings.module.css';
import { Wrong } from './Given';
import styles from './people.module.css';

export function Adding(props: {
  ready: boolean;
  make: { mutate: () => void; isPending: boolean; error: unknown };
  children: ReactNode;
}) {
  const { ready, make } = props;
  return (
    <form
      className={styles.give}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) make.mutate();
      }}
    >
      <div className={settings.form}>
        {props.children}
        <Button
          type="submit"
          size="sm"
          variant="default"
          disabled={!ready}
          loading={make.isPending}
        >
          Add
        </Button>
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
