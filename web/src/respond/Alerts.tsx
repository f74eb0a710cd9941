// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { ArrowLeft, BellRing, ExternalLink, FileCheck2, MailWarning } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useMay } from '../access/may';
import type { Alert, AlertWhole } from '../api/contract';
import { alerts as alertsQuery, oneAlert, unreadAlerts } from '../api/respond';
import frame from '../case/case.module.css';
import { Bones, Failed, Nothing } from '../shell/States';
import { bytes, count, counted } from '../text/number';
import { short, told } from '../text/time';
import { Value } from '../text/Value';
import { choose, preferences, usePreferences } from '../theme/preferences';
import styles from './alerts.module.css';
import { Older } from './Listed';
import { PlaybookRunCard, PlaybookRuns } from './PlaybookRuns';
import sheet from './respond.module.css';
import { severityTone } from './telling';

/** What detectors said, the last first; above it what waits for people. */
export function Alerts() {
  const found = useInfiniteQuery(alertsQuery());
  const search = useSearch({ from: '/inside/respond' });
  const navigate = useNavigate({ from: '/respond' });
  const { alertsSeen } = usePreferences();
  // What is shown is seen: the rail says how many came after that.
  const alerts = found.data?.pages.flatMap((page) => page.alerts) ?? [];
  const newest =
    alerts
      .map((one) => one.first)
      .sort()
      .at(-1) ?? '';
  const [before] = useState(alertsSeen);
  useEffect(() => {
    if (newest > preferences().alertsSeen) choose({ alertsSeen: newest });
  }, [newest]);
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  if (!found.data) return <Bones rows={6} height={24} />;
  return (
    <>
      <PlaybookRuns
        name=""
        only={search.playbooks ?? ''}
        choose={(playbooks) =>
          void navigate({ search: { ...search, playbooks: playbooks || undefined } })
        }
      />
      {alerts.length === 0 ? (
        <Nothing icon={<BellRing size={20} />} title="No alert yet">
          <p>
            GuardDuty and Security Hub come in through a queue, others through a signed webhook at{' '}
            <code>/api/alerts/in/SOURCE</code>. Who may send, and which secret signs, stands in{' '}
            <code>response.yaml</code>; an alert opens a case, and its original is kept as evidence.
          </p>
        </Nothing>
      ) : (
        <section className={frame.panel}>
          <h2>
            <BellRing size={15} /> Alerts
            <span className="muted">{counted(found.data.pages.at(-1)?.total ?? 0, 'alert')}</span>
          </h2>
          <div className={sheet.table}>
            <table>
              <thead>
                <tr>
                  <th>Severity</th>
                  <th>What</th>
                  <th>About</th>
                  <th>Case</th>
                  <th>Last said</th>
                  <th>Playbooks</th>
                </tr>
              </thead>
              <tbody>
                {alerts.map((one) => (
                  <Line key={one.id} one={one} fresh={before !== '' && one.first > before} />
                ))}
              </tbody>
            </table>
          </div>
          <Older list={found} />
        </section>
      )}
      <UnreadOnes />
    </>
  );
}

function Line(props: { one: Alert; fresh: boolean }) {
  const { one } = props;
  const { zone } = usePreferences();
  return (
    <tr>
      <td>
        <Severity text={one.severity} />
        {one.state === 'closed' && <small className="faint">closed by its source</small>}
      </td>
      <td>
        <Link to="/respond" search={{ view: 'alerts', alert: one.id }}>
          <Value text={one.title} limit={200} />
        </Link>
        {props.fresh && (
          <span className={frame.badge} data-tone="busy" style={{ marginLeft: 8 }}>
            new
          </span>
        )}
        <small className="faint">
          {one.source} · <Value text={one.kind} limit={100} />
        </small>
      </td>
      <td className="mono">
        {one.targets.slice(0, 3).map((target) => (
          <div key={`${target.kind} ${target.id}`} className={sheet.whole}>
            <Value text={target.id} limit={60} />
          </div>
        ))}
        {one.targets.length > 3 && <small>and {one.targets.length - 3} more</small>}
      </td>
      <td>
        <Link to="/cases/$case" params={{ case: one.case }}>
          {one.case}
        </Link>
      </td>
      <td>
        {short(one.last, zone)}
        {one.sightings > 1 && <small className="faint">{one.sightings} times</small>}
      </td>
      <td className="number">{one.playbooks || '—'}</td>
    </tr>
  );
}

export function Severity(props: { text: string }) {
  return (
    <span className={styles.severity} data-tone={severityTone(props.text) || undefined}>
      {props.text}
    </span>
  );
}

/** One alert: what was said, in which case it is and why, and what it set off. */
export function AlertPage(props: { id: string }) {
  const found = useQuery(oneAlert(props.id));
  return (
    <>
      <Link to="/respond" search={{ view: 'alerts' }} className={sheet.back}>
        <ArrowLeft size={13} aria-hidden /> All alerts
      </Link>
      {found.isError && <Failed error={found.error} again={() => void found.refetch()} />}
      {found.isPending && <Bones rows={8} height={20} />}
      {found.data && <Whole one={found.data} />}
    </>
  );
}

function Whole(props: { one: AlertWhole }) {
  const { one } = props;
  const { zone } = usePreferences();
  const [open, setOpen] = useState(false);
  return (
    <>
      <header className={sheet.runHead}>
        <div>
          <h2 className={frame.title}>
            <Value text={one.title} limit={300} />
          </h2>
          <p className="muted">
            <Severity text={one.severity} /> · {one.source} · <Value text={one.kind} limit={200} />
          </p>
        </div>
      </header>
      <section className={frame.panel}>
        <h2>What was said</h2>
        <div className={styles.detail}>
          <dl className={frame.pairs}>
            <dt>Case</dt>
            <dd>
              <Link to="/cases/$case/respond" params={{ case: one.case }} search={{}}>
                {one.case}
              </Link>{' '}
              <span className="muted">
                <Value text={one.placed} limit={400} />
              </span>
            </dd>
            <dt>About</dt>
            <dd>
              {one.targets.length === 0 && 'It names no resource.'}
              {one.targets.map((target) => (
                <div key={`${target.kind} ${target.id}`}>
                  {target.kind}{' '}
                  <span className="mono">
                    <Value text={target.id} limit={200} />
                  </span>{' '}
                  <span className="faint">
                    {target.account} {target.region}
                  </span>
                </div>
              ))}
            </dd>
            <dt>Seen</dt>
            <dd>{told(one.time, zone)}</dd>
            <dt>Came</dt>
            <dd>
              {told(one.first, zone).replace(/\.\d+ /, ' ')}, through the {one.door},{' '}
              {one.sightings} {one.sightings === 1 ? 'time' : 'times'} so far
            </dd>
            <dt>At its source</dt>
            <dd className="mono">
              <Value text={one.original} limit={200} />
              {/^https:\/\//.test(one.link) && (
                <>
                  {' '}
                  <a href={one.link} target="_blank" rel="noreferrer">
                    <ExternalLink size={12} aria-label="Open it at its source" />
                  </a>
                </>
              )}
            </dd>
          </dl>
          {one.notes.map((text) => (
            <p key={text} className={sheet.breaking}>
              <Value text={text} limit={600} />
            </p>
          ))}
          <div className={sheet.links}>
            {one.evidence.map((id, at) => (
              <Link
                key={id}
                to="/cases/$case/custody"
                params={{ case: one.case }}
                search={{ view: 'exhibits', id }}
              >
                <FileCheck2 size={13} aria-hidden /> Original
                {one.evidence.length > 1 && ` ${at + 1}`} in the vault
              </Link>
            ))}
          </div>
          <div>
            <Button
              size="compact-sm"
              variant="default"
              aria-expanded={open}
              onClick={() => setOpen(!open)}
            >
              {open ? 'Hide' : 'Show'} all that it said
            </Button>
            {open && (
              <pre className={sheet.given} style={{ maxHeight: 480 }}>
                <Value text={JSON.stringify(one.content, null, 1)} limit={60_000} lines />
              </pre>
            )}
          </div>
        </div>
      </section>
      <section className={frame.panel}>
        <h2>What it set off</h2>
        {one.runs.length === 0 ? (
          <p className="muted" style={{ margin: 0, padding: 16 }}>
            No playbook that is on matches it. See what one would do, and switch it on, under
            Playbooks.
          </p>
        ) : (
          one.runs.map((each) => <PlaybookRunCard key={each.id} one={each} apart />)
        )}
      </section>
    </>
  );
}

/** Messages that nobody could read: nothing is silent. */
function UnreadOnes() {
  const { may } = useMay('settings');
  const { zone } = usePreferences();
  const found = useInfiniteQuery({ ...unreadAlerts(), enabled: may });
  const messages = found.data?.pages.flatMap((page) => page.messages) ?? [];
  if (messages.length === 0) return null;
  return (
    <section className={frame.panel}>
      <h2>
        <MailWarning size={15} /> Messages that no alert could be read from
        <span className="muted">{count(found.data?.pages.at(-1)?.total ?? 0)}</span>
      </h2>
      <div className={sheet.table}>
        <table>
          <thead>
            <tr>
              <th>Came</th>
              <th>Through</th>
              <th>Why not</th>
              <th>Size</th>
            </tr>
          </thead>
          <tbody>
            {messages.map((one) => (
              <tr key={one.number}>
                <td>{short(one.came, zone)}</td>
                <td>
                  {one.door} <Value text={one.place} limit={120} />
                </td>
                <td>
                  <Value text={one.problem} limit={400} />
                </td>
                <td className="number">{bytes(one.size)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Older list={found} />
    </section>
  );
}
