// SPDX-License-Identifier: Apache-2.0
import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { FolderPlus, FolderSearch } from 'lucide-react';
import { useState } from 'react';
import { Gate } from '../access/Gate';
import { either, useMay } from '../access/may';
import { address, ask, Failure } from '../api/client';
import type { Case } from '../api/contract';
import { cases as casesQuery, client, session } from '../api/queries';
import frame from '../case/case.module.css';
import { Dialog } from '../shell/Dialog';
import { Bones, Failed, Nothing } from '../shell/States';
import { bytes, count } from '../text/number';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { sourceColour } from '../theme/colours';
import { usePreferences } from '../theme/preferences';
import styles from './cases.module.css';

export function Cases() {
  const list = useQuery(casesQuery());
  const [making, setMaking] = useState(false);
  return (
    <>
      <header className={frame.head}>
        <h1 style={{ fontSize: 15 }}>Cases</h1>
        <span className={frame.push} />
        <Gate permission="make-case">
          <Button leftSection={<FolderPlus size={14} />} onClick={() => setMaking(true)}>
            New case
          </Button>
        </Gate>
      </header>
      <div className={frame.body}>
        {list.isError && !list.data ? (
          <Failed error={list.error} again={() => void list.refetch()} />
        ) : list.data?.length === 0 ? (
          <NoCase make={() => setMaking(true)} />
        ) : (
          <div className={frame.sheet}>
            {list.data ? <Table cases={list.data} /> : <Bones rows={6} height={40} />}
          </div>
        )}
      </div>
      <NewCase open={making} close={() => setMaking(false)} />
    </>
  );
}

function NoCase(props: { make: () => void }) {
  const leave = useMay('make-case');
  const ask = useQuery(session()).data?.ask ?? [];
  if (!leave.may) {
    return (
      <Nothing icon={<FolderSearch size={20} />} title="There is no case that you may see">
        <p>
          {ask.length > 0
            ? `Ask ${either(ask.slice(0, 5))} for a role in a case.`
            : 'Whoever administers a case can give you a role in it.'}{' '}
          A case that you have no role in is not shown to you.
        </p>
      </Nothing>
    );
  }
  return (
    <Nothing
      icon={<FolderSearch size={20} />}
      title="No case yet"
      actions={<Button onClick={props.make}>Make the first case</Button>}
    >
      <p>
        A case holds the evidence of one investigation and its timeline. On the command line,{' '}
        <code>locard add CASE PATH…</code> makes the case and adds the evidence in one go.
      </p>
    </Nothing>
  );
}

function Table(props: { cases: Case[] }) {
  const { zone } = usePreferences();
  return (
    <div className={frame.panel}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th>Case</th>
            <th className={frame.right}>Events</th>
            <th>Sources</th>
            <th>Span ({zone})</th>
            <th className={frame.right}>Evidence</th>
            <th>State</th>
          </tr>
        </thead>
        <tbody>
          {props.cases.map((one) => (
            <tr key={one.name}>
              <td>
                <Link to="/cases/$case" params={{ case: one.name }} className={styles.name}>
                  <strong>
                    <Value text={one.name} limit={80} />
                  </strong>
                  {one.simulated && <span className={frame.simulated}>Simulated</span>}
                </Link>
                {one.title !== one.name && (
                  <div className={`muted clip ${styles.title}`}>
                    <Value text={one.title} limit={160} />
                  </div>
                )}
              </td>
              <td className={`number ${frame.right}`}>
                <Link to="/cases/$case/timeline" params={{ case: one.name }} search={{}}>
                  {count(one.events)}
                </Link>
              </td>
              <td>
                <Mix one={one} />
              </td>
              <td className="mono number muted" style={{ whiteSpace: 'nowrap' }}>
                {one.first ? (
                  <>
                    {short(one.first, zone)}
                    <br />
                    {short(one.last, zone)}
                  </>
                ) : (
                  '—'
                )}
              </td>
              <td className={`number ${frame.right}`}>
                {count(one.evidence)}
                <div className="faint">{bytes(one.bytes)}</div>
              </td>
              <td>
                <Standing one={one} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Mix(props: { one: Case }) {
  const all = props.one.sources.reduce((sum, each) => sum + each.count, 0);
  if (all === 0) return <span className="faint">—</span>;
  const label = props.one.sources.map((each) => `${each.source} ${count(each.count)}`).join(', ');
  return (
    <span className={styles.mix} title={label} role="img" aria-label={label}>
      {props.one.sources.map((each) => (
        <i
          key={each.source}
          style={{ flexGrow: each.count / all, background: sourceColour(each.source) }}
        />
      ))}
    </span>
  );
}

function Standing(props: { one: Case }) {
  const { one } = props;
  if (one.jobs_running > 0) {
    return (
      <span className={frame.badge} data-tone="busy">
        <span className={frame.spinner} /> {one.jobs_running} running
      </span>
    );
  }
  const failed = one.stages.failed ?? 0;
  if (failed > 0) {
    return (
      <span className={frame.badge} data-tone="bad" style={{ paddingLeft: 8 }}>
        {count(failed)} failed
      </span>
    );
  }
  return (
    <span className={frame.badge} style={{ paddingLeft: 8 }}>
      {one.evidence > 0 ? 'done' : 'empty'}
    </span>
  );
}

function NewCase(props: { open: boolean; close: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [title, setTitle] = useState('');
  const make = useMutation({
    mutationFn: () => ask<Case>('POST', address(['cases']), { body: { name, title } }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['cases'] });
      props.close();
      void navigate({ to: '/cases/$case/evidence', params: { case: made.name } });
    },
  });
  const problem = make.error instanceof Failure ? make.error.problem : null;
  return (
    <Dialog opened={props.open} onClose={props.close} title="New case">
      <form
        style={{ display: 'grid', gap: 14 }}
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <TextInput
          label="Name"
          description="Short; it is used on the command line and in addresses"
          placeholder="harbour-2026"
          required
          data-autofocus
          value={name}
          error={problem ? [problem.detail, problem.advice].filter(Boolean).join(' ') : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Title"
          placeholder="What it is about, in one line"
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Button type="submit" size="sm" loading={make.isPending} disabled={!name.trim()}>
          Make the case
        </Button>
      </form>
    </Dialog>
  );
}
