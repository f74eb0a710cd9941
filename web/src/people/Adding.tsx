// SPDX-License-Identifier: Apache-2.0
// The form below a list by which one more is added to it.
import type { ReactNode } from 'react';
import type { Permission } from '../api/contract';
import { Form } from '../shell/Form';
import styles from './people.module.css';

export function Adding(props: {
  ready: boolean;
  make: { mutate: () => void; isPending: boolean; error: unknown };
  label?: string;
  button?: string;
  permission?: Permission;
  children: ReactNode;
}) {
  const { make, button = 'Add', ...rest } = props;
  return (
    <div className={styles.give}>
      <Form {...rest} send={make} button={button} />
    </div>
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
