// SPDX-License-Identifier: Apache-2.0
import { notifications } from '@mantine/notifications';
import { Ban, Check, Columns3, Copy, Crosshair, Plus } from 'lucide-react';
import { useState } from 'react';
import type { FullEvent } from '../api/contract';
import { Value } from '../text/Value';
import { choose } from '../theme/preferences';
import styles from './drawer.module.css';
import { columnsChange, type Searching } from './search';

const ELSEWHERE = new Set([
  'message',
  'time',
  'time_ns',
  'time_meaning',
  'raw',
  'raw_base64',
  'attributes',
  'provenance',
  'tags',
  'starred',
  'comments',
  'evidence',
  'locator',
  'problem',
]);

export function copy(text: string, what: string): void {
  navigator.clipboard.writeText(text).then(
    () => notifications.show({ message: `${what} copied.`, autoClose: 1500 }),
    () => notifications.show({ message: 'The browser refused to copy.', color: 'red' }),
  );
}

/** All fields that hold something; each can be searched for, excluded, pivoted to and copied. */
export function Fields(props: { one: FullEvent; searching: Searching }) {
  const { one } = props;
  const [all, setAll] = useState(false);
  const columns = Object.entries(one)
    .filter(([name, value]) => !ELSEWHERE.has(name) && value !== null && value !== undefined)
    .map(([name, value]) => [name, value === 0 && name.endsWith('_port') ? '' : String(value)])
    .filter((pair): pair is [string, string] => pair[1] !== '');
  const attributes = Object.entries(one.attributes);
  const shown = all ? attributes : attributes.slice(0, 40);
  return (
    <section>
      <h3 className={styles.title}>Fields</h3>
      <div className={styles.fields}>
        {columns.map(([name, value]) => (
          <Line one={one} key={name} name={name} value={value} searching={props.searching} />
        ))}
      </div>
      {attributes.length > 0 && (
        <>
          <h3 className={styles.title} style={{ marginTop: 12 }}>
            Attributes
          </h3>
          <div className={styles.fields}>
            {shown.map(([name, value]) => (
              <Line
                one={one}
                key={name}
                name={`attributes.${name}`}
                value={value}
                searching={props.searching}
              />
            ))}
          </div>
          {shown.length < attributes.length && (
            <button type="button" className={styles.small} onClick={() => setAll(true)}>
              {attributes.length - shown.length} more
            </button>
          )}
        </>
      )}
    </section>
  );
}

function Line(props: { one: FullEvent; name: string; value: string; searching: Searching }) {
  const { one, name, value, searching } = props;
  const attribute = name.startsWith('attributes.');
  const column = () => {
    const have = searching.columns.includes(name);
    const columns = have
      ? searching.columns.filter((each) => each !== name)
      : [...searching.columns.filter((each) => each !== 'message'), name, 'message'];
    if (columns.length === 0) return;
    choose({ columns });
    searching.look(columnsChange(columns));
  };
  const on = searching.filters.find((each) => each.field === name && each.value === value);
  return (
    <div className={styles.line}>
      <span className={styles.name} title={name}>
        <Value text={attribute ? name.slice(11) : name} limit={80} />
      </span>
      <span className={styles.value}>
        <Value text={value} limit={1200} lines />
      </span>
      <span className={styles.tools}>
        <Tool
          label={on && !on.not ? 'Included' : 'Include'}
          run={() => searching.filter({ field: name, value, not: false })}
        >
          {on && !on.not ? <Check size={13} /> : <Plus size={13} />}
        </Tool>
        <Tool label="Exclude" run={() => searching.filter({ field: name, value, not: true })}>
          <Ban size={13} />
        </Tool>
        <Tool
          label="Pivot: only this, over the whole span"
          run={() => searching.pivot(one, [{ field: name, value, not: false }])}
        >
          <Crosshair size={13} />
        </Tool>
        {!attribute && (
          <Tool label="Show or hide as a column" run={column}>
            <Columns3 size={13} />
          </Tool>
        )}
        <Tool label="Copy" run={() => copy(value, 'Value')}>
          <Copy size={13} />
        </Tool>
      </span>
    </div>
  );
}

function Tool(props: { label: string; run: () => void; children: React.ReactNode }) {
  return (
    <button type="button" aria-label={props.label} title={props.label} onClick={props.run}>
      {props.children}
    </button>
  );
}
