// SPDX-License-Identifier: Apache-2.0
// The one small element by which all long work is shown, and the stream that feeds it.
import { useEffect, useRef, useState } from 'react';
import { address, get } from '../api/client';
import type { Progress } from '../api/contract';
import { client } from '../api/queries';
import { bytes, count, duration } from '../text/number';
import { Value } from '../text/Value';
import styles from './shell.module.css';

const ENDED = /^(done|finished|failed|stopped|complete)/;

export function isRunning(progress: Progress): boolean {
  return !ENDED.test(progress.state);
}

/** What is running in a case, live. Falls back to asking when the stream cannot be held open. */
export function useProgress(name: string): Progress[] {
  const [list, setList] = useState<Progress[]>([]);
  const over = useRef<Set<string> | null>(null);
  useEffect(() => {
    setList([]);
    over.current = null;
    let last = 0;
    const take = (next: Progress[]) => {
      const now = next.filter(isRunning).length;
      // Counts move while work runs; everything that was counted is asked again when it ends. Short
      // work may begin and end between two looks: then its end is the first that is seen of it.
      const known = over.current;
      over.current = new Set(next.filter((one) => !isRunning(one)).map((one) => one.job));
      const ended = known !== null && [...over.current].some((job) => !known.has(job));
      if (ended || (now > 0 && Date.now() - last > 4000)) {
        last = Date.now();
        for (const key of ['case', 'evidence', 'runs']) {
          void client.invalidateQueries({ queryKey: [key, name] });
        }
        if (ended) {
          for (const key of ['cases', 'count', 'events', 'histogram', 'facets', 'custody']) {
            void client.invalidateQueries({ queryKey: key === 'cases' ? [key] : [key, name] });
          }
        }
      }
      setList(next);
    };
    const source = new EventSource(address(['cases', name, 'progress', 'stream']));
    let poll: number | undefined;
    const fromStream = (event: MessageEvent<string>) => {
      if (!event.data) return;
      take(JSON.parse(event.data) as Progress[]);
    };
    source.onmessage = fromStream;
    source.addEventListener('progress', fromStream as EventListener);
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED || poll) return;
      poll = window.setInterval(() => {
        get<Progress[]>(address(['cases', name, 'progress'])).then(take, () => undefined);
      }, 2000);
    };
    return () => {
      source.close();
      window.clearInterval(poll);
    };
  }, [name]);
  return list;
}

function amount(value: number, unit: string): string {
  return /^bytes?$/i.test(unit) ? bytes(value) : `${count(Math.round(value))} ${unit}`;
}

export function ProgressLine(props: { progress: Progress; cancel?: () => void }) {
  const { progress } = props;
  const [log, setLog] = useState(false);
  const share = progress.total ? Math.min(1, progress.done / progress.total) : null;
  return (
    <section className={styles.progress} aria-label={progress.what}>
      <span className="clip">
        <strong>
          <Value text={progress.what} limit={120} />
        </strong>{' '}
        <span className="muted">{progress.stage}</span>
      </span>
      <span className="muted number">
        {share !== null && `${Math.floor(share * 100)} %`}
        {progress.left_seconds !== null &&
          progress.left_seconds !== undefined &&
          ` · ${duration(progress.left_seconds)} left`}
      </span>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label={progress.what}
        aria-valuenow={share === null ? undefined : Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        {share === null ? <i data-unknown /> : <i style={{ width: `${share * 100}%` }} />}
      </div>
      <span className="faint number">
        {(progress.total || progress.done > 0) && amount(progress.done, progress.unit)}
        {progress.total ? ` of ${amount(progress.total, progress.unit)}` : ''}
        {progress.rate ? ` · ${amount(progress.rate, progress.unit)}/s` : ''}
      </span>
      {progress.log.length > 0 && (
        <button type="button" className={styles.plain} onClick={() => setLog(!log)}>
          {log ? 'Hide log' : 'Log'}
        </button>
      )}
      {props.cancel && (
        <button type="button" className={styles.plain} onClick={props.cancel}>
          Cancel
        </button>
      )}
      {log && (
        <pre className={styles.log}>
          <Value text={progress.log.join('\n')} limit={20_000} lines />
        </pre>
      )}
    </section>
  );
}
