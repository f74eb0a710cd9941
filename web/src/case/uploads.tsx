// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { Fragment, type ReactNode } from 'react';
import { ProgressLine } from '../shell/Progress';
import { counted } from '../text/number';
import { Value } from '../text/Value';
import styles from './case.module.css';
import { forget, isGoing, type Sending } from './sending';

/** Files on their way, and those that could not be added with the reason. */
export function UploadLines(props: { list: Sending[] }) {
  const failed = props.list.filter((each) => each.failed);
  const known = props.list.filter((each) => each.known);
  const going = props.list.filter(isGoing);
  const waiting = going.filter((each) => !each.started);
  return (
    <>
      {failed.map((each) => (
        <div key={each.key} className={styles.panel} style={{ padding: '8px 12px' }} role="alert">
          <strong>
            <Value text={each.file.name} limit={200} />
          </strong>{' '}
          was not added. {each.failed}{' '}
          <Button size="compact-xs" variant="default" onClick={() => forget(each.key)}>
            Dismiss
          </Button>
        </div>
      ))}
      {known.length > 0 && (
        <Several list={known} label="Dismiss">
          {known.length === 1 ? 'is in this case already' : 'are in this case already'}: nothing is
          added twice
          {known.some(({ told: { modified: _, ...reading } }) =>
            Object.values(reading).some(Boolean),
          )
            ? ', and what is to be read in another way than before is read anew.'
            : '.'}
        </Several>
      )}
      {going
        .filter((each) => each.started)
        .map((each) => (
          <ProgressLine key={each.key} progress={progressOf(each)} cancel={each.cancel} />
        ))}
      {waiting.length > 0 && (
        <Several list={waiting} label={waiting.length === 1 ? 'Cancel' : 'Cancel all'}>
          {waiting.length === 1 ? 'waits' : 'wait'} to be uploaded.
        </Several>
      )}
    </>
  );
}

/** Names that one sentence can hold. */
const NAMED = 3;

/** One sentence about several files, and the way to have them out of it. */
function Several(props: { list: Sending[]; label: string; children: ReactNode }) {
  const { list } = props;
  const more = list.length - NAMED;
  return (
    <div className={styles.panel} style={{ padding: '8px 12px' }} role="status">
      {list.slice(0, NAMED).map((each, at) => (
        <Fragment key={each.key}>
          {at > 0 && ', '}
          <strong>
            <Value text={each.file.name} limit={80} />
          </strong>
        </Fragment>
      ))}
      {more > 0 && ` and ${counted(more, 'further file')}`} {props.children}{' '}
      <Button
        size="compact-xs"
        variant="default"
        onClick={() => forget(...list.map((each) => each.key))}
      >
        {props.label}
      </Button>
    </div>
  );
}

function progressOf(each: Sending) {
  const { started, sent } = each;
  const { size } = each.file;
  const seconds = started ? (Date.now() - started) / 1000 : 0;
  const rate = seconds > 0.5 && sent > 0 ? sent / seconds : null;
  // The last bytes are sent before they are hashed and on the disk.
  const stage = sent < size ? 'uploading' : 'taking in';
  return {
    job: String(each.key),
    what: each.file.name,
    stage,
    done: sent,
    total: size,
    unit: 'bytes',
    rate,
    left_seconds: rate ? (size - sent) / rate : null,
    state: 'running',
    log: [],
  };
}
