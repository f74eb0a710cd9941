// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleX, ShieldCheck } from 'lucide-react';
import { useEffect } from 'react';
import { address, ask } from '../api/client';
import type { FullEvent, Proof } from '../api/contract';
import { client } from '../api/queries';
import { Failed } from '../shell/States';
import { Value } from '../text/Value';
import styles from './drawer.module.css';

/** From the row back to the bytes: where it lies, what was recorded, and the proof of both. */
export function Provenance(props: {
  one: FullEvent;
  name: string;
  /** Whether the proof was asked for by a key. */
  wanted: boolean;
  taken: () => void;
}) {
  const { one, name } = props;
  const from = one.provenance;
  const prove = useMutation({
    mutationFn: () => ask<Proof>('POST', address(['cases', name, 'events', one.id, 'prove'])),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['custody', name] }),
  });
  const { mutate } = prove;
  const { wanted, taken } = props;
  useEffect(() => {
    if (!wanted) return;
    taken();
    mutate();
  }, [wanted, taken, mutate]);

  const chain = from.parents;
  return (
    <section className={styles.origin}>
      <div className={styles.originHead}>
        <h3>Where it comes from</h3>
        <Button
          size="compact-sm"
          variant={prove.data ? 'default' : 'filled'}
          leftSection={<ShieldCheck size={14} />}
          loading={prove.isPending}
          onClick={() => mutate()}
        >
          {prove.data ? 'Prove again' : 'Prove'}
        </Button>
      </div>
      <dl className={styles.pairs}>
        <dt>Evidence</dt>
        <dd>
          <Link to="/cases/$case/evidence" params={{ case: name }} search={{ id: from.evidence }}>
            <Value text={from.name || `${from.evidence.slice(0, 16)}…`} limit={300} />
          </Link>
        </dd>
        {chain.map((parent) => (
          <Pair key={parent.id} title="Inside">
            <Link to="/cases/$case/evidence" params={{ case: name }} search={{ id: parent.id }}>
              <Value text={parent.name} limit={300} />
            </Link>
          </Pair>
        ))}
        <Pair title="Position">
          <span className="mono">
            <Value text={from.locator} limit={400} />
          </span>
        </Pair>
        <Pair title="SHA-256">
          <span className="mono">{from.sha256}</span>
        </Pair>
        {from.custody_sequence !== null && from.custody_sequence !== undefined && (
          <Pair title="Custody">
            <Link to="/cases/$case/custody" params={{ case: name }} search={{ id: from.evidence }}>
              entry #{from.custody_sequence}
            </Link>
          </Pair>
        )}
        {from.sightings.map((sighting) => (
          <Pair key={sighting.evidence + sighting.locator} title="Also found in">
            <Link
              to="/cases/$case/evidence"
              params={{ case: name }}
              search={{ id: sighting.evidence }}
            >
              <Value text={sighting.name || sighting.evidence.slice(0, 16)} limit={200} />
            </Link>{' '}
            <span className="mono faint">
              <Value text={sighting.locator} limit={200} />
            </span>
          </Pair>
        ))}
      </dl>
      {prove.isError && <Failed error={prove.error} again={() => mutate()} />}
      {prove.data && <Steps proof={prove.data} />}
    </section>
  );
}

function Pair(props: { title: string; children: React.ReactNode }) {
  return (
    <>
      <dt>{props.title}</dt>
      <dd>{props.children}</dd>
    </>
  );
}

function Steps(props: { proof: Proof }) {
  const { proof } = props;
  // Said first, since the steps that passed before it fill the view.
  const failed = proof.steps.find((step) => !step.passed);
  return (
    <div className={styles.proof} data-passed={proof.passed} role="status">
      <strong>
        {proof.passed
          ? 'Proved: this row is what the evidence says.'
          : `Not proved${failed ? `: ${failed.name.toLowerCase()}` : ''}`}
      </strong>
      {failed && (
        <p>
          <Value text={failed.detail} limit={1200} lines />
        </p>
      )}
      <ol>
        {proof.steps.map((step) => (
          <li key={step.name} data-passed={step.passed}>
            {step.passed ? (
              <CircleCheck size={15} aria-label="passed" />
            ) : (
              <CircleX size={15} aria-label="failed" />
            )}
            <span>
              {step.name}
              <small>
                <Value text={step.detail} limit={1200} lines />
              </small>
              {step.differences.map((one) => (
                <small key={one.column} className={styles.difference}>
                  <b>{one.column}</b>
                  <span>
                    row: <Value text={one.row} limit={400} />
                  </span>
                  <span>
                    evidence: <Value text={one.evidence} limit={400} />
                  </span>
                </small>
              ))}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
