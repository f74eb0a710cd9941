// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import {
  ArrowLeft,
  FileJson,
  FileSignature,
  Layers,
  PlayCircle,
  SearchCheck,
  TriangleAlert,
  Undo2,
} from 'lucide-react';
import { use, useState } from 'react';
import { Gate } from '../access/Gate';
import { useMay } from '../access/may';
import { address, ask, Failure } from '../api/client';
import type { RunWhole } from '../api/contract';
import { client } from '../api/queries';
import { oneRun, playbookRunOf } from '../api/respond';
import frame from '../case/case.module.css';
import { ProgressContext } from '../case/progress';
import { isRunning, ProgressLine } from '../shell/Progress';
import { Bones, Failed } from '../shell/States';
import { counted } from '../text/number';
import { told } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import { Note } from './PlanView';
import { ReleaseDialog } from './ReleaseDialog';
import { RunState } from './Runs';
import sheet from './respond.module.css';
import styles from './run.module.css';
import { Taken } from './Taken';
import { compared, DOING, firstCopy, isGoing, stale } from './telling';

/** One run, live: what was done, what it took, what stands, and how it is put back. */
export function RunPage() {
  const { case: name, run } = useParams({ from: '/inside/cases/$case/respond/$run' });
  const found = useQuery(oneRun(name, run));
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  return (
    <div className={frame.body}>
      <div className={frame.sheet}>
        <Link to="/cases/$case/respond" params={{ case: name }} search={{}} className={sheet.back}>
          <ArrowLeft size={13} aria-hidden /> All that was done
        </Link>
        {found.data ? <Whole one={found.data} name={name} /> : <Bones rows={12} height={20} />}
      </div>
    </div>
  );
}

function Whole(props: { one: RunWhole; name: string }) {
  const { one, name } = props;
  const [releasing, setReleasing] = useState(false);
  const collects = one.verb === 'collect';
  const jobs = use(ProgressContext).filter(
    (each) =>
      isRunning(each) &&
      each.what.endsWith(one.target.id) &&
      each.what.startsWith(`${DOING.collect}`) === collects,
  );
  const first = firstCopy(one.taken);
  const idle = !one.working && (!isGoing(one) || stale(one));
  const changed = () => client.invalidateQueries({ queryKey: ['runs', name] });
  const again = useMutation({
    mutationFn: () => ask('POST', address(['cases', name, 'runs', one.run, 'resume'])),
    onSettled: changed,
  });
  const look = useMutation({
    mutationFn: () => ask('POST', address(['cases', name, 'runs', one.run, 'verify'])),
    onSettled: changed,
  });
  const wrong = again.error ?? look.error;
  const stuck = idle && ['applying', 'failed', 'releasing', 'release-failed'].includes(one.state);
  const kept = one.taken.reduce((sum, each) => sum + each.evidence.length, 0);
  return (
    <>
      <header className={sheet.runHead}>
        <div>
          <h2 className={frame.title}>
            {DOING[one.verb]} <Value text={one.target.id} limit={120} />
          </h2>
          <p className="muted">
            {one.title} · account {one.account} ({one.target.account}
            {one.target.region && `, ${one.target.region}`})
            {one.simulated && <strong> · simulated account, no cloud is touched</strong>}
          </p>
        </div>
        <RunState one={one} />
        <span className={frame.push} />
        {one.verb === 'isolate' && one.standing > 0 && (
          <>
            <Gate permission="respond" case={name}>
              <Button
                variant="default"
                leftSection={<SearchCheck size={14} />}
                disabled={!idle}
                loading={look.isPending}
                onClick={() => look.mutate()}
              >
                Check that it holds
              </Button>
            </Gate>
            <Gate permission="respond" case={name}>
              <Button
                color="red"
                variant="outline"
                leftSection={<Undo2 size={14} />}
                disabled={!idle}
                onClick={() => setReleasing(true)}
              >
                Release…
              </Button>
            </Gate>
          </>
        )}
        {stuck && (
          <Gate permission="respond" case={name}>
            <Button
              leftSection={<PlayCircle size={14} />}
              loading={again.isPending}
              onClick={() => again.mutate()}
            >
              {one.state.startsWith('releas') ? 'Go on releasing' : 'Carry on'}
            </Button>
          </Gate>
        )}
      </header>
      {wrong && (
        <Note tone="bad" icon={TriangleAlert} title={wrong.message}>
          {wrong instanceof Failure ? wrong.problem.advice : ''}
        </Note>
      )}
      <Standing one={one} kept={kept} />
      {jobs.map((each) => (
        <ProgressLine key={each.job} progress={each} />
      ))}
      <div className={`${frame.stack} ${styles.runBody}`}>
        <section className={frame.panel}>
          <h2>
            Steps
            <span className="muted number">
              {one.done} of {one.steps}
            </span>
          </h2>
          <ol className={styles.taken}>
            {one.taken.map((each) => (
              <Taken
                key={each.key}
                one={each}
                name={name}
                copies={each.key === first ? one.target.id : undefined}
              />
            ))}
          </ol>
        </section>
        <About one={one} name={name} />
      </div>
      {releasing && <ReleaseDialog one={one} name={name} close={() => setReleasing(false)} />}
    </>
  );
}

/** What stands, in a sentence or two; after a release, whether all is as it was. */
function Standing(props: { one: RunWhole; kept: number }) {
  const { one, kept } = props;
  if (one.state === 'released') {
    const { same, judged } = compared(one.taken);
    const whole = same === judged;
    return (
      <Note
        tone={whole ? 'good' : 'warn'}
        icon={whole ? SearchCheck : TriangleAlert}
        title={
          whole
            ? 'Released: the state after release equals the state before, compared call by call'
            : `Released: ${same} of ${judged} are as they were before`
        }
      >
        {whole
          ? `The calls that read the state before were made again, and all ${judged} answers are the same.`
          : 'Others changed something meanwhile, which was not overwritten. The steps below name it.'}
      </Note>
    );
  }
  if (one.error) {
    return (
      <Note tone="bad" icon={TriangleAlert} title={one.error}>
        {one.kept
          ? 'What isolating could take is kept, and what the rest is read from stands. Carry it on.'
          : one.standing > 0
            ? `${counted(one.standing, 'change')} may stand in the account. Carry on, or release what stands.`
            : 'Nothing stands in the account.'}
      </Note>
    );
  }
  if (one.state === 'applying' && one.kept) {
    return (
      <Note
        tone="good"
        icon={Layers}
        title={`Isolating ${one.target.id} takes nothing from this any more`}
      >
        What needs it is kept. The rest is read from copies that stand, whether it is isolated
        meanwhile or not.
      </Note>
    );
  }
  if (one.verb === 'isolate' && one.state === 'done') {
    const holds = one.taken.filter((each) => each.verdict?.holds).length;
    return (
      <Note tone="warn" icon={SearchCheck} title={`${one.target.id} is isolated`}>
        {counted(one.standing, 'change')} made, {holds} of them seen to hold when they were read
        again. It stays so until somebody releases it.
      </Note>
    );
  }
  if (one.state === 'done' && kept > 0) {
    return (
      <Note
        tone="good"
        icon={SearchCheck}
        title={`${counted(kept, 'exhibit')} taken into the vault`}
      >
        Each has its hashes, its signed entry in the ledger, and the requests that it came by.
      </Note>
    );
  }
  return null;
}

function About(props: { one: RunWhole; name: string }) {
  const { one, name } = props;
  const { zone } = usePreferences();
  const playbook = useQuery({ ...playbookRunOf(name, one.run), enabled: one.rule !== '' });
  const approved = playbook.data?.runs[0]?.approvals.filter((each) => each.counts) ?? [];
  const when = (iso: string | null) => (iso ? told(iso, zone).replace(/\.\d+ /, ' ') : '');
  return (
    <section className={frame.panel}>
      <h2>Record</h2>
      <div className={styles.about}>
        <dl className={frame.pairs}>
          <Pair name="Run" text={one.run} mono />
          <Pair name="By" text={one.who || 'automation'} />
          <Pair name="Because" text={one.reason} />
          <Pair name="Playbook" text={one.rule} />
          {one.alert && (
            <>
              <dt>Alert</dt>
              <dd>
                <Link to="/respond" search={{ view: 'alerts', alert: one.alert }} className="mono">
                  {one.alert}
                </Link>
              </dd>
            </>
          )}
          {approved.map((each) => (
            <Pair
              key={`${each.who} ${each.time}`}
              name={each.agrees ? 'Agreed' : 'Refused'}
              text={`${each.who}, ${when(each.time)}: ${each.reason}`}
            />
          ))}
          <Pair name="Not collected first" text={one.exception} />
          <Pair name="Begun" text={when(one.started)} />
          <Pair name="Ended" text={when(one.ended)} />
          <Pair name="Released" text={when(one.released)} />
          <Pair name="Released by" text={one.released_by} />
          <Pair name="Because" text={one.released_reason} />
        </dl>
        {one.warnings.map((text) => (
          <p key={text} className="muted">
            <Value text={text} limit={600} />
          </p>
        ))}
        <div className={sheet.links}>
          {one.receipt && (
            <>
              <Link
                to="/cases/$case/custody"
                params={{ case: name }}
                search={{ view: 'exhibits', id: one.receipt }}
              >
                <FileJson size={13} aria-hidden /> Receipt in the vault
              </Link>
              <SignedReceipt name={name} run={one.run} />
            </>
          )}
        </div>
      </div>
    </section>
  );
}

/** The file from which another machine can release the run. */
function SignedReceipt(props: { name: string; run: string }) {
  const leave = useMay('download', props.name);
  if (!leave.may) return <span className="muted">{leave.why}</span>;
  const command = `locard release --receipt receipt-${props.run}.json`;
  return (
    <a
      href={address(['cases', props.name, 'runs', props.run, 'receipt'])}
      download
      title={`Another machine releases the run from it: ${command}`}
    >
      <FileSignature size={13} aria-hidden /> Signed receipt
    </a>
  );
}

function Pair(props: { name: string; text: string; mono?: boolean }) {
  if (!props.text) return null;
  return (
    <>
      <dt>{props.name}</dt>
      <dd className={props.mono ? 'mono' : undefined}>
        <Value text={props.text} limit={2000} />
      </dd>
    </>
  );
}
