// SPDX-License-Identifier: Apache-2.0
import { ActionIcon, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import {
  ChevronDown,
  ChevronUp,
  Clock,
  Crosshair,
  Link2,
  Star,
  Tag,
  UserRound,
  X,
} from 'lucide-react';
import { type PointerEvent, type ReactNode, useDeferredValue } from 'react';
import type { FullEvent } from '../api/contract';
import { event as eventQuery } from '../api/queries';
import { RespondPivots } from '../respond/Pivot';
import { Bones, Failed } from '../shell/States';
import { told } from '../text/time';
import { Value } from '../text/Value';
import { pretty } from '../text/visible';
import { sourceColour } from '../theme/colours';
import { choose, preferences, usePreferences } from '../theme/preferences';
import { Comments } from './Comments';
import styles from './drawer.module.css';
import { copy, Fields } from './Fields';
import type { Filter } from './language';
import { mark, toggleStar } from './marks';
import { Neighbours } from './Neighbours';
import { Provenance } from './Provenance';
import type { Searching } from './search';

/** One event: what it says, where it comes from, what is around it, what was said about it. */
export function Drawer(props: {
  searching: Searching;
  id: string;
  step: (by: number) => void;
  tag: (id: string) => void;
  close: () => void;
  /** The event that is to be proved as soon as it is here. */
  proving: string | null;
  proved: () => void;
}) {
  const { searching } = props;
  // Holding j scrolls through rows; only the one where it comes to rest is worth asking for.
  const id = useDeferredValue(props.id);
  const found = useQuery(eventQuery(searching.name, id));
  const { widths } = usePreferences();
  const width = Math.min(Math.max(360, widths.drawer ?? 500), window.innerWidth * 0.7);
  const one = found.data;
  return (
    <aside className={styles.drawer} style={{ width }} aria-label="Event">
      <Handle />
      <h2 className="hidden-word">Event</h2>
      <header className={styles.head}>
        {one && (
          <span className={styles.source} style={{ color: sourceColour(one.source) }}>
            {one.source}
          </span>
        )}
        {one && String(one.outcome ?? '') !== '' && (
          <span className={styles.outcome} data-outcome={String(one.outcome)}>
            {String(one.outcome)}
          </span>
        )}
        <span style={{ flex: 1 }} />
        {one && (
          <>
            <Action
              label="Star (s)"
              on={one.starred}
              run={() => void toggleStar(searching.name, one.id)}
            >
              <Star
                size={15}
                fill={one.starred ? 'currentColor' : 'none'}
                style={one.starred ? { color: 'var(--star)' } : undefined}
              />
            </Action>
            <Action label="Tag (t)" run={() => props.tag(one.id)}>
              <Tag size={15} />
            </Action>
            <Action
              label="Copy a link to this event"
              run={() => copy(window.location.href, 'Link')}
            >
              <Link2 size={15} />
            </Action>
          </>
        )}
        <Action label="Row before (k)" run={() => props.step(-1)}>
          <ChevronUp size={16} />
        </Action>
        <Action label="Next row (j)" run={() => props.step(1)}>
          <ChevronDown size={16} />
        </Action>
        <Action label="Close (Esc)" run={props.close}>
          <X size={16} />
        </Action>
      </header>
      <div className={styles.body}>
        {found.isError && <Failed error={found.error} again={() => void found.refetch()} />}
        {found.isPending && <Bones rows={14} />}
        {one && (
          <Content key={one.id} one={one} searching={searching}>
            <Provenance
              one={one}
              name={searching.name}
              wanted={props.proving === one.id}
              taken={props.proved}
            />
          </Content>
        )}
      </div>
    </aside>
  );
}

function Content(props: { one: FullEvent; searching: Searching; children: ReactNode }) {
  const { one, searching } = props;
  const { zone } = usePreferences();
  const problem = String(one.problem ?? '');
  return (
    <>
      <div>
        <button
          type="button"
          className={styles.time}
          onClick={() => copy(one.time ?? '', 'Time')}
          title="Copy as ISO 8601 in UTC"
        >
          {told(one.time, zone)}
        </button>
        {one.time_meaning && <span className="faint"> · {one.time_meaning}</span>}
        <p className={styles.message}>
          <Value text={String(one.message ?? '') || 'No message'} limit={4000} lines />
        </p>
        {problem && (
          <p className={styles.problem}>
            Not read in full: <Value text={problem} limit={600} />
          </p>
        )}
        <Tags one={one} name={searching.name} />
        <Pivots one={one} searching={searching} />
        <RespondPivots one={one} name={searching.name} />
      </div>
      {props.children}
      <Fields one={one} searching={searching} />
      <Raw one={one} />
      <Neighbours one={one} searching={searching} />
      <Comments name={searching.name} id={one.id} />
    </>
  );
}

function Tags(props: { one: FullEvent; name: string }) {
  if (props.one.tags.length === 0) return null;
  return (
    <div className={styles.tags}>
      {props.one.tags.map((tag) => (
        <span key={tag} className={styles.tag}>
          <Value text={tag} limit={80} />
          <button
            type="button"
            aria-label={`Take the tag ${tag} away`}
            onClick={() => void mark(props.name, { ids: [props.one.id], remove_tags: [tag] })}
          >
            <X size={11} />
          </button>
        </span>
      ))}
    </div>
  );
}

/** Questions that nearly everybody asks next, each one a new search. */
function Pivots(props: { one: FullEvent; searching: Searching }) {
  const { one, searching } = props;
  const only = (field: string): Filter[] => [{ field, value: String(one[field]), not: false }];
  const has = (field: string) => Boolean(one[field]);
  const pivots: { label: string; run: () => void; icon: typeof Clock }[] = [];
  if (has('actor')) {
    pivots.push({
      label: 'This actor',
      icon: UserRound,
      run: () => searching.pivot(one, only('actor')),
    });
  }
  if (has('src_ip')) {
    pivots.push({
      label: 'This address',
      icon: Crosshair,
      run: () => searching.pivot(one, only('src_ip')),
    });
  }
  if (has('session')) {
    pivots.push({
      label: 'This session',
      icon: Crosshair,
      run: () => searching.pivot(one, only('session')),
    });
  }
  if (has('resource')) {
    pivots.push({
      label: 'This resource',
      icon: Crosshair,
      run: () => searching.pivot(one, only('resource')),
    });
  }
  if (one.time) {
    pivots.push({
      label: '± 5 minutes',
      icon: Clock,
      run: () => searching.pivot(one, [], 5),
    });
  }
  return (
    <div className={styles.pivots}>
      {pivots.map(({ label, icon: Icon, run }) => (
        <button type="button" key={label} onClick={run}>
          <Icon size={13} />
          {label}
        </button>
      ))}
    </div>
  );
}

const LONGEST = 60_000;

function Raw(props: { one: FullEvent }) {
  const { one } = props;
  return (
    <section>
      <h3 className={styles.title}>
        Raw record
        <span style={{ flex: 1 }} />
        <button type="button" className={styles.small} onClick={() => copy(one.raw, 'Raw record')}>
          Copy
        </button>
      </h3>
      {one.raw_base64 && <p className="faint">Not UTF-8: what could not be read is shown as �.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and so by keys too */}
      <pre className={styles.raw} tabIndex={0} role="region" aria-label="Raw record">
        <Value text={one.raw.length < LONGEST ? pretty(one.raw) : one.raw} limit={LONGEST} lines />
      </pre>
    </section>
  );
}

function Action(props: { label: string; on?: boolean; run: () => void; children: ReactNode }) {
  return (
    <Tooltip label={props.label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={26}
        aria-label={props.label}
        aria-pressed={props.on}
        onClick={props.run}
      >
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}

/** The left edge, by which the drawer is made wider. */
function Handle() {
  const start = (down: PointerEvent<HTMLElement>) => {
    down.preventDefault();
    const element = down.currentTarget;
    element.setPointerCapture(down.pointerId);
    const from = element.parentElement?.offsetWidth ?? 500;
    const move = (event: globalThis.PointerEvent) => {
      const width = Math.round(from - (event.clientX - down.clientX));
      choose({ widths: { ...preferences().widths, drawer: Math.max(360, width) } });
    };
    const end = () => {
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', end);
      element.removeEventListener('pointercancel', end);
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', end);
    element.addEventListener('pointercancel', end);
  };
  return <span className={styles.handle} onPointerDown={start} />;
}
