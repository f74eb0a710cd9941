// SPDX-License-Identifier: Apache-2.0
// Verifying custody now: live progress, and the verdict clause by clause.
import { Alert, Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { CircleAlert, CircleCheck, CircleDashed, ShieldCheck } from 'lucide-react';
import { use, useEffect, useState } from 'react';
import { address, ask, Failure } from '../api/client';
import type { Clause, Signing } from '../api/contract';
import { verification } from '../api/custody';
import frame from '../case/case.module.css';
import { ProgressContext } from '../case/progress';
import { CopyIcon } from '../shell/CopyIcon';
import { isRunning, ProgressLine } from '../shell/Progress';
import { Bones, Failed } from '../shell/States';
import { count, counted, duration } from '../text/number';
import { millis, told } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './custody.module.css';
import { Hash, Pair } from './EntryProof';

/** The job, as its name begins. */
const VERIFYING = 'Verifying custody';

/** How long a process may take to begin before it counts as one that did not, in milliseconds. */
const PATIENCE = 60_000;

export type Verifying = ReturnType<typeof useVerifying>;

/** Begins a verification and follows it. */
export function useVerifying(name: string) {
  const jobs = use(ProgressContext).filter((one) => one.what.startsWith(VERIFYING));
  const last = jobs[0];
  const running = jobs.find(isRunning);
  // The job appears when its process has begun, a moment after it was asked for.
  const [before, setBefore] = useState<string | null>(null);
  const begin = useMutation({
    mutationFn: () => ask('POST', address(['cases', name, 'verification'])),
    onSuccess: () => setBefore(last?.job ?? ''),
  });
  const starting = before !== null && (last?.job ?? '') === before;
  useEffect(() => {
    if (!starting) return;
    const timer = window.setTimeout(() => setBefore(null), PATIENCE);
    return () => window.clearTimeout(timer);
  }, [starting]);
  const broken = last && !isRunning(last) && last.state !== 'done' ? last : undefined;
  return { running, starting, begin, broken };
}

export function VerifyButton(props: { verifying: Verifying }) {
  const { running, starting, begin } = props.verifying;
  const busy = Boolean(running) || starting;
  return (
    <Button
      leftSection={<ShieldCheck size={15} />}
      loading={begin.isPending || starting}
      disabled={busy}
      onClick={() => begin.mutate()}
    >
      {busy ? 'Verifying …' : 'Verify now'}
    </Button>
  );
}

/** The work while it runs, or why it could not be begun. */
export function VerifyProgress(props: { verifying: Verifying }) {
  const { running, begin } = props.verifying;
  const problem = begin.error instanceof Failure ? begin.error.problem : null;
  if (running) return <ProgressLine progress={running} />;
  if (!begin.isError) return null;
  return (
    <Alert color="red" title={problem?.detail || begin.error.message}>
      {problem?.advice}
    </Alert>
  );
}

export function Verify(props: { name: string; verifying: Verifying }) {
  const { name } = props;
  const found = useQuery(verification(name));
  const { running, broken } = props.verifying;
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  return (
    <div className={frame.body}>
      <div className={frame.sheet}>
        <div className={styles.verifyHead}>
          <p className={frame.lead}>
            Every signature, every hash of the ledger's tree, every checkpoint and time stamp, and
            every byte of evidence is looked at anew. What could not be looked at is said, and is no
            pass.
          </p>
          <VerifyButton verifying={props.verifying} />
        </div>
        <VerifyProgress verifying={props.verifying} />
        {broken && !running && (
          <Alert color="red" title="The last verification did not come to its end">
            <Value
              text={broken.log.at(-1) ?? 'Its process ended before it was done.'}
              limit={500}
            />
          </Alert>
        )}
        {found.data?.broken && !running && (
          <Alert color="red" title="The ledger cannot be relied on">
            <Value text={found.data.broken} limit={500} />
          </Alert>
        )}
        {!found.data ? (
          <Bones rows={10} height={20} />
        ) : (
          <div className={`${frame.stack} ${styles.columns}`}>
            <Verdict name={name} />
            {found.data.signing && <Key signing={found.data.signing} />}
          </div>
        )}
        <p className="faint" style={{ maxWidth: '80ch', margin: 0 }}>
          This page is ours. Whoever does not want to trust us exports a bundle and checks it with{' '}
          <code>locard-verify</code>, a program of its own that needs no server and no network, or
          runs <code>locard verify {name}</code> on this machine.
        </p>
      </div>
    </div>
  );
}

function Verdict(props: { name: string }) {
  const found = useQuery(verification(props.name));
  const { zone } = usePreferences();
  const last = found.data?.verification;
  if (!last) {
    return (
      <section className={frame.panel}>
        <h2>Result</h2>
        <p className={styles.none}>This case has not been verified from here yet.</p>
      </section>
    );
  }
  const failed = last.clauses.filter((one) => one.state === 'fail').length;
  const open = last.clauses.filter((one) => one.state === 'not checked').length;
  const seconds = (millis(last.ended) - millis(last.begun)) / 1000;
  return (
    <section className={frame.panel} aria-label="Result">
      <h2 className={styles.verdict} data-failed={!last.passed || undefined}>
        {last.passed ? <CircleCheck size={16} /> : <CircleAlert size={16} />}
        <span style={{ flex: 1 }}>
          {last.passed ? 'Nothing failed' : `${counted(failed, 'clause')} FAILED`}
          {open > 0 && `, ${count(open)} not checked`}
        </span>
        <span className="muted" style={{ fontWeight: 400 }}>
          {told(last.ended, zone).replace(/\.\d+ /, ' ')} · by {last.by} · {duration(seconds)}
        </span>
      </h2>
      <ul className={styles.clauses}>
        {last.clauses.map((one) => (
          <ClauseLine key={one.name} one={one} />
        ))}
      </ul>
    </section>
  );
}

const LOOKS: Record<string, { tone: string; icon: typeof CircleCheck }> = {
  pass: { tone: 'good', icon: CircleCheck },
  fail: { tone: 'bad', icon: CircleAlert },
  'not checked': { tone: 'warn', icon: CircleDashed },
};

function ClauseLine(props: { one: Clause }) {
  const { one } = props;
  const look = LOOKS[one.state];
  const Icon = look?.icon ?? CircleDashed;
  return (
    <li data-state={one.state}>
      <span className={frame.badge} data-tone={look?.tone}>
        <Icon size={13} /> {one.state}
      </span>
      <strong>{one.name}</strong>
      <span style={{ overflowWrap: 'anywhere' }}>
        <Value text={one.detail} limit={1000} />
        {one.where && (
          <span className="mono faint">
            {' '}
            <Value text={one.where} limit={300} />
          </span>
        )}
      </span>
    </li>
  );
}

export function Key(props: { signing: Signing }) {
  const { signing } = props;
  const { zone } = usePreferences();
  const { stamped } = signing;
  return (
    <section className={frame.panel} aria-label="Key and time stamps">
      <h2>Key and time stamps</h2>
      {!signing.key ? (
        <p className={styles.none}>The ledger has no entry yet, and no key.</p>
      ) : (
        <dl className={styles.pairs} style={{ padding: '12px 16px' }}>
          <Pair title="Fingerprint">
            <Hash text={signing.fingerprint} />
          </Pair>
          <Pair title="Public key">
            <Hash text={signing.key} /> <CopyIcon value={signing.key} what="the public key" />
            <br />
            <span className="faint">
              {signing.pinned
                ? 'The same as the one kept outside the vault. Give it to whoever is to verify, by another way than the ledger.'
                : 'Another one than that kept outside the vault.'}
            </span>
          </Pair>
          <Pair title="Entries">{count(signing.entries)}</Pair>
          <Pair title="Time stamp">
            {stamped?.time ? (
              <>
                {told(stamped.time, zone)} by <Value text={stamped.authority} limit={200} />, over
                the first {count(stamped.size)} entries
              </>
            ) : (
              'None yet.'
            )}
            {!signing.authority && (
              <span className="faint">
                {' '}
                No authority is asked: <code>locard custody authority URL --roots FILE</code>
              </span>
            )}
          </Pair>
          {signing.waiting > 0 && (
            <Pair title="Waiting">
              {counted(signing.waiting, 'checkpoint')} without a time stamp:{' '}
              <Value text={signing.why} limit={300} />
            </Pair>
          )}
        </dl>
      )}
    </section>
  );
}
