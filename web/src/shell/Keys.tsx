// SPDX-License-Identifier: Apache-2.0
import { Fragment } from 'react';
import { Dialog } from './Dialog';
import styles from './shell.module.css';

const KEYS: [string[], string][] = [
  [['Ctrl K', '⌘K'], 'Go anywhere'],
  [['/'], 'Search'],
  [['j', '↓'], 'Next row'],
  [['k', '↑'], 'Row before'],
  [['Enter', 'o'], 'Open or close the event'],
  [['Esc'], 'Close the drawer, unmark'],
  [['x'], 'Mark the row'],
  [['Shift x'], 'Mark up to the row'],
  [['s'], 'Star'],
  [['t'], 'Tag'],
  [['z'], 'Undo the last star or tag'],
  [['p'], 'Prove the open event'],
  [['g', 'Home'], 'First row'],
  [['G', 'End'], 'Last row'],
  [['['], 'Show or hide facets'],
  [['r'], 'Turn the order around'],
  [['?'], 'These keys'],
];

export function Keys(props: { open: boolean; close: () => void }) {
  return (
    <Dialog opened={props.open} onClose={props.close} title="Keys" size={560}>
      <div className={styles.keys}>
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <span>{what}</span>
            <span>
              {keys.map((key, at) => (
                <Fragment key={key}>
                  {at > 0 && ' '}
                  <kbd>{key}</kbd>
                </Fragment>
              ))}
            </span>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
