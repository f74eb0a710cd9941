// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Activity, CircleAlert, FileStack, Layers } from 'lucide-react';
import { use } from 'react';
import type { Case } from '../api/contract';
import { eventCount, oneCase } from '../api/queries';
import { RespondSaid } from '../respond/Said';
import { isRunning, ProgressLine } from '../shell/Progress';
import { Bones, Failed, Nothing } from '../shell/States';
import { bytes, count, counted } from '../text/number';
import { millis, short, span } from '../text/time';
import { Value } from '../text/Value';
import { sourceColour } from '../theme/colours';
import { usePreferences } from '../theme/preferences';
import styles from './case.module.css';
import { ProgressContext } from './progress';

export function Overview() {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const found = useQuery(oneCase(name));
  const progress = use(ProgressContext);
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  if (!found.data) {
    return (
      <div className={styles.sheet}>
        <Bones rows={8} height={20} />
      </div>
    );
  }
  const one = found.data;
  const running = progress.filter(isRunning);
  if (one.evidence === 0 && running.length === 0) {
    return (
      <Nothing
        icon={<FileStack size={20} />}
        title="This case holds no evidence yet"
        actions={
          one.may.includes('acquire') && (
            <Link to="/cases/$case/evidence" params={{ case: name }}>
              <Button component="span">Add evidence</Button>
            </Link>
          )
        }
      >
        <p>
          Drop files on the Evidence tab, or run <code>locard add {name} PATH…</code> where they
          are. Anything can be added: logs, archives inside archives, disk images.
        </p>
      </Nothing>
    );
  }
  return (
    <div className={styles.body}>
      <div className={styles.sheet}>
        {one.title && (
          <h2 className={styles.title}>
            <Value text={one.title} limit={300} />
          </h2>
        )}
        <div className={`${styles.stack} ${styles.two}`}>
          <div className={styles.stack}>
            <Story one={one} running={running.length} />
            <Figures one={one} />
          </div>
          <div className={styles.stack}>
            {one.sources.length > 0 && <Sources one={one} />}
            {one.failed.length > 0 && <FailedList one={one} />}
          </div>
        </div>
        {running.length > 0 && (
          <section className={styles.panel}>
            <h2>
              <Activity size={15} /> Running now
            </h2>
            <div style={{ display: 'grid', gap: 8, padding: 12 }}>
              {running.map((each) => (
                <ProgressLine key={each.job + each.what} progress={each} />
              ))}
            </div>
          </section>
        )}
      </div>
    </div>
  );
}

/** What is held, what it covers, what is running, what failed and what comes next, in sentences. */
function Story(props: { one: Case; running: number }) {
  const { one, running } = props;
  const { zone } = usePreferences();
  const params = { case: one.name };
  const failed = one.stages.failed ?? 0;
  const unknown = one.stages['not parsed'] ?? 0;
  return (
    <p className={styles.lead}>
      {one.simulated && 'This incident is simulated: Locard wrote its evidence. '}
      <RespondSaid name={one.name} />
      The case holds{' '}
      <Link to="/cases/$case/evidence" params={params} search={{}}>
        {counted(one.evidence, 'piece')} of evidence
      </Link>{' '}
      ({bytes(one.bytes)}) and{' '}
      <Link to="/cases/$case/timeline" params={params} search={{}}>
        {counted(one.events, 'event')}
      </Link>
      {one.first && one.last && (
        <>
          {' '}
          from {short(one.first, zone)} to {short(one.last, zone)} {zone} (
          {span(millis(one.last) - millis(one.first))})
        </>
      )}
      .{' '}
      {one.problems > 0 && (
        <>
          <Link to="/cases/$case/timeline" params={params} search={{ q: 'problem:*' }}>
            {counted(one.problems, 'record')}
          </Link>{' '}
          could not be read in full and {one.problems === 1 ? 'stands' : 'stand'} in the timeline
          with the reason.{' '}
        </>
      )}
      {running > 0 && `${counted(running, 'job')} still ${running === 1 ? 'runs' : 'run'}. `}
      {failed > 0 ? (
        <>
          <Link to="/cases/$case/evidence" params={params} search={{ state: 'failed' }}>
            {counted(failed, 'file')}
          </Link>{' '}
          failed.{' '}
        </>
      ) : (
        running === 0 && 'Everything that was added is done, and nothing failed. '
      )}
      {unknown > 0 && (
        <>
          <Link to="/cases/$case/evidence" params={params} search={{ state: 'not parsed' }}>
            {counted(unknown, 'file')}
          </Link>{' '}
          {unknown === 1 ? 'is' : 'are'} kept but not parsed, since no parser knows{' '}
          {unknown === 1 ? 'it' : 'them'}.{' '}
        </>
      )}
      {one.events > 0 && (
        <>
          Next:{' '}
          <Link to="/cases/$case/timeline" params={params} search={{ q: 'outcome:failure' }}>
            look at actions that were refused or failed
          </Link>
          , or{' '}
          <Link to="/cases/$case/timeline" params={params} search={{ order: 'desc' }}>
            read from the latest event back
          </Link>
          .
        </>
      )}
    </p>
  );
}

function Figures(props: { one: Case }) {
  const { one } = props;
  const params = { case: one.name };
  const starred = useQuery(eventCount(one.name, { q: 'starred:true' }));
  return (
    <div className={styles.figures}>
      <Link to="/cases/$case/timeline" params={params} search={{}} className={styles.figure}>
        <b>{count(one.events)}</b>
        <span>events</span>
      </Link>
      <Link to="/cases/$case/evidence" params={params} search={{}} className={styles.figure}>
        <b>{count(one.evidence)}</b>
        <span>pieces of evidence</span>
      </Link>
      <Link
        to="/cases/$case/timeline"
        params={params}
        search={{ q: 'starred:true' }}
        className={styles.figure}
      >
        <b>{starred.data ? count(starred.data.count) : '—'}</b>
        <span>starred events</span>
      </Link>
      <Link
        to="/cases/$case/timeline"
        params={params}
        search={{ q: 'problem:*' }}
        className={styles.figure}
      >
        <b>{count(one.problems)}</b>
        <span>records with a problem</span>
      </Link>
      <Link
        to="/cases/$case/evidence"
        params={params}
        search={{ state: 'failed' }}
        className={styles.figure}
        data-bad={(one.stages.failed ?? 0) > 0 || undefined}
      >
        <b>{count(one.stages.failed ?? 0)}</b>
        <span>failed files</span>
      </Link>
    </div>
  );
}

function FailedList(props: { one: Case }) {
  return (
    <section className={styles.panel}>
      <h2>
        <CircleAlert size={15} /> What failed, and why
        {(props.one.stages.failed ?? 0) > props.one.failed.length && (
          <span className="muted">the first {props.one.failed.length}</span>
        )}
      </h2>
      {props.one.failed.slice(0, 20).map((each) => (
        <Link
          key={each.id + each.name}
          className={styles.line}
          to="/cases/$case/evidence"
          params={{ case: props.one.name }}
          search={{ state: 'failed', id: each.id }}
        >
          <span className="mono clip">
            <Value text={each.name} limit={200} />
          </span>
          <span className="muted">
            <Value text={each.reason} limit={300} />
          </span>
        </Link>
      ))}
    </section>
  );
}

function Sources(props: { one: Case }) {
  const sources = [...props.one.sources].sort((a, b) => b.count - a.count);
  const most = sources[0]?.count ?? 1;
  return (
    <section className={styles.panel}>
      <h2>
        <Layers size={15} /> Where the events come from
      </h2>
      <div style={{ padding: '6px 0' }}>
        {sources.map((each) => (
          <Link
            key={each.source}
            className={styles.sourceLine}
            to="/cases/$case/timeline"
            params={{ case: props.one.name }}
            search={{ f: [`+source:${each.source}`] }}
          >
            <span className={styles.dot} style={{ background: sourceColour(each.source) }} />
            <span className="clip">
              <Value text={each.source} limit={80} />
            </span>
            <span className={styles.track}>
              <i
                style={{
                  width: `${Math.max(0.5, (each.count / most) * 100)}%`,
                  background: sourceColour(each.source),
                }}
              />
            </span>
            <span className={`number ${styles.right}`}>{count(each.count)}</span>
          </Link>
        ))}
      </div>
    </section>
  );
}
