// SPDX-License-Identifier: Apache-2.0
// How a case is kept: authority, legal holds, retention, and disposal by two people.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Clock, Gavel, Lock, Trash2 } from 'lucide-react';
import { type ReactNode, use, useState } from 'react';
import { Gate } from '../access/Gate';
import { address, ask } from '../api/client';
import type { Disposal, Keeping as Kept } from '../api/contract';
import { keeping } from '../api/custody';
import { session } from '../api/queries';
import frame from '../case/case.module.css';
import { ProgressContext } from '../case/progress';
import { isRunning, ProgressLine } from '../shell/Progress';
import { Bones, Failed } from '../shell/States';
import { counted } from '../text/number';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './custody.module.css';
import { Decide } from './Danger';
import { AgreeDialog, AskDialog, AuthorityDialog, HoldDialog, RetainDialog } from './dialogs';

export function Keeping(props: { name: string }) {
  const { name } = props;
  const found = useQuery(keeping(name));
  const running = use(ProgressContext).filter(
    (one) => isRunning(one) && one.what.startsWith('Disposing'),
  );
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  if (!found.data) {
    return (
      <div className={frame.sheet}>
        <Bones rows={8} height={22} />
      </div>
    );
  }
  const kept = found.data;
  return (
    <div className={frame.body}>
      <div className={frame.sheet}>
        <p className={frame.lead}>
          <Lead kept={kept} />
        </p>
        {running.map((one) => (
          <ProgressLine key={one.job} progress={one} />
        ))}
        <div className={`${frame.stack} ${styles.columns}`}>
          <div className={frame.stack}>
            <AuthorityPanel name={name} kept={kept} />
            <HoldsPanel name={name} kept={kept} />
            <RetentionPanel name={name} kept={kept} />
          </div>
          <DisposalsPanel name={name} kept={kept} running={running.length > 0} />
        </div>
      </div>
    </div>
  );
}

function Lead(props: { kept: Kept }) {
  const { kept } = props;
  const { zone } = usePreferences();
  const standing = kept.holds.filter((one) => !one.released);
  const waiting = kept.disposals.filter((one) => one.standing === 'asked');
  return (
    <>
      {standing.length > 0
        ? `The case is under ${standing.length === 1 ? 'a legal hold' : counted(standing.length, 'legal hold')}. `
        : 'No legal hold stands. '}
      {kept.until
        ? `It is kept until ${short(kept.until, zone)}. `
        : 'Nobody has said how long it is kept, so it is kept. '}
      {waiting.length > 0 &&
        `${counted(waiting.length, 'disposal')} ${waiting.length === 1 ? 'waits' : 'wait'} for a second person. `}
      {!kept.barred && 'Nothing stands against disposal, which takes two people.'}
    </>
  );
}

function Panel(props: { icon: ReactNode; title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section className={frame.panel} aria-label={props.title}>
      <h2>
        {props.icon} <span style={{ flex: 1 }}>{props.title}</span> {props.action}
      </h2>
      {props.children}
    </section>
  );
}

function AuthorityPanel(props: { name: string; kept: Kept }) {
  const [open, setOpen] = useState(false);
  const { zone } = usePreferences();
  const all = [...props.kept.authorities].reverse();
  return (
    <Panel
      icon={<Gavel size={15} />}
      title="Authority"
      action={
        <Gate permission="hold" case={props.name}>
          <Button variant="default" onClick={() => setOpen(true)}>
            Enter an authority
          </Button>
        </Gate>
      }
    >
      {all.length === 0 && (
        <p className={styles.none}>
          None was entered. Exhibits say nothing about why they could be taken; one that is entered
          now is carried by everything that is taken in from then on.
        </p>
      )}
      {all.map((one, at) => (
        <div key={one.set} className={frame.line}>
          <span>
            <strong style={{ textTransform: 'capitalize' }}>{one.kind}</strong>{' '}
            <Value text={one.reference} limit={300} />
            {one.issued_by && (
              <>
                , issued by <Value text={one.issued_by} limit={300} />
              </>
            )}{' '}
            {at === 0 && (
              <span className={frame.badge} data-tone={props.kept.lapsed ? 'bad' : 'good'}>
                {props.kept.lapsed || 'in force'}
              </span>
            )}
          </span>
          {(one.valid_from || one.valid_to) && (
            <span className="muted">
              {one.valid_from && `from ${one.valid_from} `}
              {one.valid_to && `to ${one.valid_to}`}
            </span>
          )}
          {one.scope && (
            <span className="muted">
              It covers <Value text={one.scope} limit={1000} />
            </span>
          )}
          <span className="faint">
            entered by <Value text={one.set_by} limit={80} /> {short(one.set, zone)}
          </span>
        </div>
      ))}
      <AuthorityDialog name={props.name} opened={open} close={() => setOpen(false)} />
    </Panel>
  );
}

function HoldsPanel(props: { name: string; kept: Kept }) {
  const [open, setOpen] = useState(false);
  const [ending, setEnding] = useState<number | null>(null);
  const { zone } = usePreferences();
  const all = [...props.kept.holds].reverse();
  return (
    <Panel
      icon={<Lock size={15} />}
      title="Legal holds"
      action={
        <Gate permission="hold" case={props.name}>
          <Button variant="default" onClick={() => setOpen(true)}>
            Put a hold
          </Button>
        </Gate>
      }
    >
      {all.length === 0 && (
        <p className={styles.none}>None. A hold keeps everything until a person releases it.</p>
      )}
      {all.map((one) => (
        <div key={one.number} className={styles.held}>
          <div style={{ display: 'grid', gap: 2, minWidth: 0 }}>
            <span>
              <strong>Hold {one.number}</strong>{' '}
              {one.reference && <Value text={one.reference} limit={200} />}{' '}
              <span className={frame.badge} data-tone={one.released ? undefined : 'busy'}>
                {one.released ? 'released' : 'stands'}
              </span>
            </span>
            <span className="muted">
              <Value text={one.reason} limit={1000} />
            </span>
            <span className="faint">
              placed by <Value text={one.placed_by} limit={80} /> {short(one.placed, zone)}
              {one.released && (
                <>
                  ; released by <Value text={one.released_by} limit={80} />{' '}
                  {short(one.released, zone)}: <Value text={one.released_reason} limit={500} />
                </>
              )}
            </span>
          </div>
          {!one.released && (
            <Gate permission="hold" case={props.name}>
              <Button variant="default" onClick={() => setEnding(one.number)}>
                Release
              </Button>
            </Gate>
          )}
        </div>
      ))}
      <HoldDialog name={props.name} opened={open} close={() => setOpen(false)} />
      <Decide
        title={`Release hold ${ending ?? ''} of case ${props.name}`}
        name={props.name}
        button="Release"
        danger="Evidence can be disposed of once no other hold and no retention keeps it."
        opened={ending !== null}
        close={() => setEnding(null)}
        act={(reason) =>
          ask('POST', address(['cases', props.name, 'holds', ending ?? 0, 'release']), {
            body: { reason },
          })
        }
      />
    </Panel>
  );
}

function RetentionPanel(props: { name: string; kept: Kept }) {
  const [open, setOpen] = useState(false);
  const { zone } = usePreferences();
  const { until } = props.kept;
  return (
    <Panel
      icon={<Clock size={15} />}
      title="Retention"
      action={
        <Gate permission="hold" case={props.name}>
          <Button variant="default" onClick={() => setOpen(true)}>
            {until ? 'Lengthen' : 'Set'}
          </Button>
        </Gate>
      }
    >
      <p className={styles.none}>
        {until
          ? `Kept until ${short(until, zone)} ${zone}. It can be lengthened, never shortened.`
          : 'Nobody has said how long the case is kept. Until somebody does, nothing can be disposed of.'}
      </p>
      <RetainDialog name={props.name} opened={open} close={() => setOpen(false)} />
    </Panel>
  );
}

const STANDINGS: Record<string, { tone: string; text: string }> = {
  asked: { tone: 'warn', text: 'waits for a second person' },
  agreed: { tone: 'warn', text: 'being carried out' },
  done: { tone: 'bad', text: 'carried out' },
  refused: { tone: '', text: 'refused' },
};

function DisposalsPanel(props: { name: string; kept: Kept; running: boolean }) {
  const { name, kept } = props;
  const [open, setOpen] = useState(false);
  const [agreeing, setAgreeing] = useState<Disposal | null>(null);
  const [refusing, setRefusing] = useState<Disposal | null>(null);
  const all = [...kept.disposals].reverse();
  return (
    <section className={`${frame.panel} ${styles.dangerPanel}`} aria-label="Disposal">
      <h2>
        <Trash2 size={15} /> <span style={{ flex: 1 }}>Disposal</span>
        <Gate permission="dispose" case={name}>
          <Button
            color="red"
            variant="outline"
            disabled={Boolean(kept.barred)}
            onClick={() => setOpen(true)}
          >
            Ask for disposal
          </Button>
        </Gate>
      </h2>
      <p className={styles.none}>
        {kept.barred ||
          'One person asks, a second one agrees, and neither took the evidence in. Bytes and rows are gone then; the ledger stays whole.'}
      </p>
      {all.map((one) => (
        <DisposalLine
          key={one.number}
          one={one}
          name={name}
          running={props.running}
          agree={() => setAgreeing(one)}
          refuse={() => setRefusing(one)}
        />
      ))}
      <AskDialog name={name} opened={open} close={() => setOpen(false)} />
      <AgreeDialog name={name} disposal={agreeing} close={() => setAgreeing(null)} />
      <Decide
        title={`Refuse disposal ${refusing?.number ?? ''} of case ${name}`}
        name={name}
        button="Refuse"
        opened={refusing !== null}
        close={() => setRefusing(null)}
        act={(reason) =>
          ask('POST', address(['cases', name, 'disposals', refusing?.number ?? 0, 'refuse']), {
            body: { reason },
          })
        }
      />
    </section>
  );
}

function DisposalLine(props: {
  one: Disposal;
  name: string;
  running: boolean;
  agree: () => void;
  refuse: () => void;
}) {
  const { one } = props;
  const me = useQuery(session());
  const { zone } = usePreferences();
  const own = one.asked_by === me.data?.username;
  const look = STANDINGS[one.standing];
  const open = one.standing === 'asked' || one.standing === 'agreed';
  return (
    <div className={styles.held}>
      <div style={{ display: 'grid', gap: 2, minWidth: 0 }}>
        <span>
          <strong>
            Disposal {one.number} of {counted(one.exhibits, 'exhibit')}
          </strong>{' '}
          <span className={frame.badge} data-tone={look?.tone || undefined}>
            {look?.text ?? one.standing}
          </span>
        </span>
        <span className="muted">
          <Value text={one.reason} limit={1000} />
        </span>
        <span className="faint">
          asked for by <Value text={one.asked_by} limit={80} /> {short(one.asked, zone)}
          {one.decided && (
            <>
              ; {one.standing === 'refused' ? 'refused' : 'agreed to'} by{' '}
              <Value text={one.decided_by} limit={80} /> {short(one.decided, zone)}
              {one.decided_reason && (
                <>
                  : <Value text={one.decided_reason} limit={500} />
                </>
              )}
            </>
          )}
        </span>
      </div>
      {open && (
        <div className={styles.buttons}>
          {one.standing === 'asked' && (
            <Gate permission="dispose" case={props.name}>
              <Button variant="default" onClick={props.refuse}>
                {own ? 'Take back' : 'Refuse'}
              </Button>
            </Gate>
          )}
          <Gate permission="dispose" case={props.name}>
            <Button
              color="red"
              variant="outline"
              disabled={own || props.running}
              title={own ? 'You asked for it: a second person has to agree' : undefined}
              onClick={props.agree}
            >
              {one.standing === 'asked' ? 'Agree' : 'Carry on'}
            </Button>
          </Gate>
        </div>
      )}
    </div>
  );
}
