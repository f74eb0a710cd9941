// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useCallback, useEffect, useRef, useState } from 'react';
import { address, Failure, upload } from '../api/client';
import { client } from '../api/queries';
import { ProgressLine } from '../shell/Progress';
import styles from './case.module.css';

interface Sending {
  key: number;
  file: File;
  sent: number;
  started: number;
  failed: string;
  cancel: () => void;
}

export interface Uploads {
  list: Sending[];
  add: (files: File[]) => void;
  forget: (key: number) => void;
}

let next = 1;

/** Files on their way to the vault, one after the other: the disk is the limit, not the line. */
export function useUploads(name: string): Uploads {
  const [list, setList] = useState<Sending[]>([]);
  const busy = useRef(false);
  const change = useCallback((key: number, what: Partial<Sending>) => {
    setList((now) => now.map((each) => (each.key === key ? { ...each, ...what } : each)));
  }, []);
  const forget = useCallback((key: number) => {
    setList((now) => now.filter((each) => each.key !== key));
  }, []);

  useEffect(() => {
    const waiting = list.find((each) => !each.failed && each.started === 0);
    if (!waiting || busy.current) return;
    busy.current = true;
    const where = address(['cases', name, 'evidence'], { name: waiting.file.name });
    const sending = upload(where, waiting.file, (sent) => change(waiting.key, { sent }));
    change(waiting.key, { started: Date.now(), cancel: sending.cancel });
    sending.done
      .then(
        () => {
          forget(waiting.key);
          void client.invalidateQueries({ queryKey: ['evidence', name] });
          void client.invalidateQueries({ queryKey: ['case', name] });
        },
        (error: unknown) => {
          const problem = error instanceof Failure ? error.problem : null;
          const failed = [problem?.detail || 'The upload failed.', problem?.advice]
            .join(' ')
            .trim();
          change(waiting.key, { failed });
        },
      )
      .finally(() => {
        busy.current = false;
        setList((now) => [...now]);
      });
  }, [list, name, change, forget]);

  const add = useCallback((files: File[]) => {
    const fresh = files.map((file) => {
      next += 1;
      return { key: next, file, sent: 0, started: 0, failed: '', cancel: () => undefined };
    });
    setList((now) => [...now, ...fresh]);
  }, []);
  return { list, add, forget };
}

export function UploadLines(props: { uploads: Uploads }) {
  return props.uploads.list.map((each) => {
    const seconds = each.started ? (Date.now() - each.started) / 1000 : 0;
    const rate = seconds > 0.5 ? each.sent / seconds : null;
    if (each.failed) {
      return (
        <div key={each.key} className={styles.panel} style={{ padding: '8px 12px' }} role="alert">
          <strong>{each.file.name}</strong> was not added. {each.failed}{' '}
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => props.uploads.forget(each.key)}
          >
            Dismiss
          </Button>
        </div>
      );
    }
    return (
      <ProgressLine
        key={each.key}
        progress={{
          job: String(each.key),
          what: each.file.name,
          stage: each.started ? 'uploading' : 'waiting',
          done: each.sent,
          total: each.file.size,
          unit: 'bytes',
          rate,
          left_seconds: rate ? (each.file.size - each.sent) / rate : null,
          state: 'running',
          log: [],
        }}
      />
    );
  });
}
