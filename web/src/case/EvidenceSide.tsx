// SPDX-License-Identifier: Apache-2.0
import { ActionIcon, Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  Archive,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  Download,
  LoaderCircle,
  X,
} from 'lucide-react';
import { useState } from 'react';
import { Gate } from '../access/Gate';
import { address } from '../api/client';
import { evidenceCustody } from '../api/custody';
import { evidenceItem } from '../api/queries';
import { CopyIcon } from '../shell/CopyIcon';
import { Bones, Failed } from '../shell/States';
import { bytes, count } from '../text/number';
import { told } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './case.module.css';
import { OnTheCopy } from './OnTheCopy';

const LOOKS: Record<string, { tone: string; icon: typeof CircleCheck }> = {
  parsed: { tone: 'good', icon: CircleCheck },
  parsing: { tone: 'busy', icon: LoaderCircle },
  queued: { tone: '', icon: CircleDashed },
  failed: { tone: 'bad', icon: CircleAlert },
  'not parsed': { tone: 'warn', icon: CircleHelp },
  archive: { tone: '', icon: Archive },
};

export function State(props: { state: string }) {
  const look = LOOKS[props.state];
  const Icon = look?.icon ?? CircleDashed;
  return (
    <span className={styles.badge} data-tone={look?.tone}>
      <Icon size={13} />
      {props.state}
    </span>
  );
}

/** One piece of evidence: what it is, what became of it, its hashes, its custody. */
export function EvidenceSide(props: { name: string; id: string; close: () => void }) {
  const item = useQuery(evidenceItem(props.name, props.id));
  const custody = useQuery(evidenceCustody(props.name, props.id));
  const { zone } = usePreferences();
  const one = item.data;
  return (
    <aside className={styles.side} aria-label="Piece of evidence">
      <div style={{ display: 'flex', gap: 8, alignItems: 'start' }}>
        <h2 style={{ flex: 1, overflowWrap: 'anywhere' }}>
          {one && <Value text={one.member || one.name} limit={400} />}
        </h2>
        <ActionIcon variant="subtle" color="gray" aria-label="Close" onClick={props.close}>
          <X size={16} />
        </ActionIcon>
      </div>
      {item.isError && <Failed error={item.error} again={() => void item.refetch()} />}
      {item.isPending && <Bones rows={8} />}
      {one && (
        <>
          <State state={one.state} />
          {one.reason && (
            <p style={{ margin: 0 }}>
              <Value text={one.reason} limit={1000} />
            </p>
          )}
          <dl className={styles.pairs}>
            <dt>Kind</dt>
            <dd>{one.kind || 'not recognised'}</dd>
            <dt>Parser</dt>
            <dd>{one.parser || 'none'}</dd>
            <dt>Size</dt>
            <dd className="number">
              {bytes(one.size)} ({count(one.size)} bytes)
            </dd>
            <dt>Records</dt>
            <dd className="number">
              {count(one.seen)} seen = {count(one.rows)} rows + {count(one.problems)} problems
            </dd>
            {one.places.length > 1 && (
              <>
                <dt>Found as</dt>
                <dd style={{ overflowWrap: 'anywhere' }}>
                  {one.places.map((place) => (
                    <div key={place}>
                      <Value text={place} limit={400} />
                    </div>
                  ))}
                </dd>
              </>
            )}
            {one.copy_of_it && (
              <>
                <dt>Its rows</dt>
                <dd>
                  <OnTheCopy name={props.name} copy={one.copy_of_it} to="evidence" />
                </dd>
              </>
            )}
            {one.parent && (
              <>
                <dt>Taken out of</dt>
                <dd>
                  <Link
                    to="/cases/$case/evidence"
                    params={{ case: props.name }}
                    search={(now) => ({ ...now, id: one.parent ?? undefined })}
                    className="mono"
                  >
                    {one.parent.slice(0, 16)}…
                  </Link>
                </dd>
              </>
            )}
            <dt>Added</dt>
            <dd>
              {told(one.added, zone)} {one.added_by && `by ${one.added_by}`}
            </dd>
            {one.confinement && (
              <>
                <dt>Read under</dt>
                <dd>{one.confinement}</dd>
              </>
            )}
            <Hash title="SHA-256" value={one.sha256} />
            <Hash title="BLAKE2b" value={one.blake2b} />
          </dl>
          <Lines
            title={one.problems ? 'Could not be read, or is odd' : 'Is odd'}
            lines={one.troubles}
          />
          <Lines title="Passed over" lines={one.passed} />
          <div style={{ display: 'flex', gap: 8 }}>
            <Link
              to="/cases/$case/timeline"
              params={{ case: props.name }}
              search={{ f: [`+evidence:${one.id}`] }}
            >
              <Button variant="default" component="span">
                Its events
              </Button>
            </Link>
            <DownloadButton name={props.name} id={one.id} />
          </div>
        </>
      )}
      <h3 style={{ display: 'flex', gap: 12, alignItems: 'baseline' }}>
        <span style={{ flex: 1 }}>What happened to it</span>
        <Link
          to="/cases/$case/custody"
          params={{ case: props.name }}
          search={{ id: props.id }}
          style={{ fontWeight: 400, fontSize: 12 }}
        >
          Its whole life
        </Link>
      </h3>
      {custody.isPending && <Bones rows={3} />}
      {custody.data?.map((entry) => (
        <div key={entry.sequence} style={{ display: 'grid' }}>
          <span>
            <span className="mono faint">#{entry.sequence}</span> {entry.verb} by{' '}
            <Value text={entry.actor} limit={60} />
            {entry.reason && (
              <span className="muted">
                {' '}
                — <Value text={entry.reason} limit={200} />
              </span>
            )}
          </span>
          <span className="mono faint">{told(entry.time, zone)}</span>
        </div>
      ))}
    </aside>
  );
}

/** What an archive held that is no file, or that could not be read; folded up when it is much. */
function Lines(props: { title: string; lines: string[] }) {
  if (props.lines.length === 0) {
    return null;
  }
  return (
    <details open={props.lines.length <= 5}>
      <summary>
        {props.title}: {count(props.lines.length)}
      </summary>
      <ul className={styles.lines}>
        {props.lines.map((line, index) => (
          <li key={index}>
            <Value text={line} limit={600} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Hash(props: { title: string; value: string }) {
  return (
    <>
      <dt>{props.title}</dt>
      <dd className="mono" style={{ fontSize: 11 }}>
        {props.value} <CopyIcon value={props.value} what={props.title} />
      </dd>
    </>
  );
}

/** Taking evidence out of the vault goes into the ledger with a reason, so the reason is asked. */
function DownloadButton(props: { name: string; id: string }) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  if (!asking) {
    return (
      <Gate permission="download" case={props.name}>
        <Button
          variant="default"
          leftSection={<Download size={14} />}
          onClick={() => setAsking(true)}
        >
          Download
        </Button>
      </Gate>
    );
  }
  const where = address(['cases', props.name, 'evidence', props.id, 'download'], { reason });
  return (
    <form
      style={{ display: 'flex', gap: 6 }}
      onSubmit={(event) => {
        event.preventDefault();
        if (!reason.trim()) return;
        setAsking(false);
        window.location.assign(where);
      }}
    >
      <TextInput
        size="xs"
        autoFocus
        placeholder="Reason, for the ledger"
        aria-label="Reason, for the ledger"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Button type="submit" disabled={!reason.trim()}>
        Download
      </Button>
    </form>
  );
}
