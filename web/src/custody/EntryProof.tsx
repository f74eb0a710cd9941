// SPDX-License-Identifier: Apache-2.0
// What an expert checks: the entry as it was signed, its place in the tree, checkpoint, time stamp.
import { Button, CopyButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Check, Copy } from 'lucide-react';
import type { ReactNode } from 'react';
import { custodyEntry } from '../api/custody';
import { Bones, Failed } from '../shell/States';
import { count } from '../text/number';
import { told } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './custody.module.css';

export function EntryProof(props: { name: string; sequence: number }) {
  const found = useQuery(custodyEntry(props.name, props.sequence));
  const { zone } = usePreferences();
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  if (!found.data) return <Bones rows={4} height={14} />;
  const { entry, checkpoint } = found.data;
  return (
    <div className={styles.proof}>
      <p className={styles.holds}>
        <Check size={14} aria-hidden /> Its signature holds, and it is in the tree of{' '}
        {count(found.data.size)} entries that the head of the ledger signs.
      </p>
      <dl className={styles.pairs}>
        <Pair title="Entry">
          {count(entry.sequence)}
          {entry.previous > 0 && `, after entry ${count(entry.previous)} about the same exhibit`}
        </Pair>
        <Pair title="Time">{told(entry.time, zone)}</Pair>
        {entry.agent && (
          <Pair title="Program">
            <Value text={entry.agent} limit={300} />
          </Pair>
        )}
        <Pair title="Hash">
          <Hash text={found.data.leaf} />
        </Pair>
        <Pair title="Signed by">
          <Hash text={found.data.key} /> <span className="faint">fingerprint</span>{' '}
          <Hash text={found.data.fingerprint} />
        </Pair>
        <Pair title="Checkpoint">
          {checkpoint ? (
            <>
              of {count(checkpoint.size)} entries,{' '}
              {checkpoint.time
                ? `time-stamped ${told(checkpoint.time, zone)} by ${checkpoint.authority}`
                : `without a time stamp${checkpoint.gap ? `: ${checkpoint.gap}` : ''}`}
            </>
          ) : (
            'none has it yet; the next one will'
          )}
        </Pair>
      </dl>
      <details>
        <summary>Signed statement, envelope and proof</summary>
        <pre className={styles.raw}>
          <Value text={found.data.statement} limit={20_000} lines />
        </pre>
        <pre className={styles.raw}>
          <Value
            text={[
              `root ${found.data.root}`,
              ...found.data.path.map((hash, at) => `${at + 1}. ${hash}`),
              '',
              found.data.head,
            ].join('\n')}
            limit={20_000}
            lines
          />
        </pre>
        <CopyButton value={found.data.envelope}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              size="compact-xs"
              leftSection={<Copy size={12} />}
              onClick={copy}
            >
              {copied ? 'Copied' : 'Copy the envelope'}
            </Button>
          )}
        </CopyButton>
      </details>
    </div>
  );
}

export function Pair(props: { title: string; children: ReactNode }) {
  return (
    <>
      <dt>{props.title}</dt>
      <dd>{props.children}</dd>
    </>
  );
}

export function Hash(props: { text: string }) {
  return (
    <span className="mono" style={{ overflowWrap: 'anywhere', fontSize: 12 }}>
      {props.text}
    </span>
  );
}
