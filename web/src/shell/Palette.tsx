// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import {
  Clock,
  FileStack,
  FolderSearch,
  Keyboard,
  LayoutDashboard,
  ListTree,
  LogOut,
  Moon,
  Rows3,
  ScrollText,
  Search,
  Settings2,
  Siren,
  Sun,
} from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { cases as casesQuery, searches as searchesQuery } from '../api/queries';
import { choose, usePreferences } from '../theme/preferences';
import { readAddress } from '../timeline/address';
import { Dialog } from './Dialog';
import { matches } from './matches';
import styles from './shell.module.css';

interface Command {
  group: string;
  title: string;
  icon: ReactNode;
  run: () => void;
}

/** What can be done from here, and whether all of it is known. */
function useCommands(doors: Doors): { commands: Command[]; pending: boolean } {
  const navigate = useNavigate();
  const { case: here } = useParams({ strict: false });
  const cases = useQuery(casesQuery());
  const saved = useQuery({ ...searchesQuery(here ?? ''), enabled: Boolean(here) });
  const { zone } = usePreferences();
  const commands = useMemo(() => {
    const list: Command[] = [];
    const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const timesIn = (chosen: string) => {
      choose({ zone: chosen });
      if (!here || !window.location.pathname.endsWith('/timeline')) return;
      const zone = chosen === 'UTC' ? undefined : chosen;
      void navigate({
        to: '/cases/$case/timeline',
        params: { case: here },
        search: (now) => ({ ...readAddress(now), zone }),
        replace: true,
      });
    };
    if (here) {
      const group = `Case ${here}`;
      const to = { case: here };
      list.push(
        {
          group,
          title: 'Overview',
          icon: <LayoutDashboard size={16} />,
          run: () => void navigate({ to: '/cases/$case', params: to }),
        },
        {
          group,
          title: 'Timeline',
          icon: <ListTree size={16} />,
          run: () => void navigate({ to: '/cases/$case/timeline', params: to, search: {} }),
        },
        {
          group,
          title: 'Evidence',
          icon: <FileStack size={16} />,
          run: () => void navigate({ to: '/cases/$case/evidence', params: to }),
        },
        {
          group,
          title: 'Respond: collect, isolate, release',
          icon: <Siren size={16} />,
          run: () => void navigate({ to: '/cases/$case/respond', params: to, search: {} }),
        },
        {
          group,
          title: 'Custody',
          icon: <ScrollText size={16} />,
          run: () => void navigate({ to: '/cases/$case/custody', params: to }),
        },
      );
      for (const search of saved.data ?? []) {
        list.push({
          group: 'Saved searches',
          title: search.name,
          icon: <Search size={16} />,
          run: () =>
            void navigate({
              to: '/cases/$case/timeline',
              params: to,
              search: readAddress({ ...search, f: search.facets }),
            }),
        });
      }
    }
    list.push({
      group: 'Go to',
      title: 'All cases',
      icon: <FolderSearch size={16} />,
      run: () => void navigate({ to: '/cases' }),
    });
    list.push({
      group: 'Go to',
      title: 'Respond: alerts, playbooks, accounts',
      icon: <Siren size={16} />,
      run: () => void navigate({ to: '/respond', search: {} }),
    });
    list.push({
      group: 'Go to',
      title: 'Custody of all cases',
      icon: <ScrollText size={16} />,
      run: () => void navigate({ to: '/custody' }),
    });
    for (const one of cases.data ?? []) {
      if (one.name === here) continue;
      list.push({
        group: 'Go to',
        title: `Case ${one.name}${one.title ? ` · ${one.title}` : ''}`,
        icon: <FolderSearch size={16} />,
        run: () => void navigate({ to: '/cases/$case', params: { case: one.name } }),
      });
    }
    list.push(
      {
        group: 'Go to',
        title: 'Settings',
        icon: <Settings2 size={16} />,
        run: () => void navigate({ to: '/settings' }),
      },
      {
        group: 'Look',
        title: 'Theme: light',
        icon: <Sun size={16} />,
        run: () => choose({ theme: 'light' }),
      },
      {
        group: 'Look',
        title: 'Theme: dark',
        icon: <Moon size={16} />,
        run: () => choose({ theme: 'dark' }),
      },
      {
        group: 'Look',
        title: 'Theme: as the system',
        icon: <Moon size={16} />,
        run: () => choose({ theme: 'system' }),
      },
      {
        group: 'Look',
        title: 'Density: compact',
        icon: <Rows3 size={16} />,
        run: () => choose({ density: 'compact' }),
      },
      {
        group: 'Look',
        title: 'Density: comfortable',
        icon: <Rows3 size={16} />,
        run: () => choose({ density: 'comfortable' }),
      },
      zone === 'UTC'
        ? {
            group: 'Look',
            title: `Times in ${local}`,
            icon: <Clock size={16} />,
            run: () => timesIn(local),
          }
        : {
            group: 'Look',
            title: 'Times in UTC',
            icon: <Clock size={16} />,
            run: () => timesIn('UTC'),
          },
      { group: 'Help', title: 'Keys', icon: <Keyboard size={16} />, run: doors.keys },
      { group: 'Help', title: 'Sign out', icon: <LogOut size={16} />, run: doors.leave },
    );
    return list;
  }, [here, cases.data, saved.data, zone, navigate, doors]);
  return { commands, pending: cases.isPending || (Boolean(here) && saved.isPending) };
}

export interface Doors {
  keys: () => void;
  leave: () => void;
}

export function Palette(props: { open: boolean; close: () => void; doors: Doors }) {
  return (
    <Dialog
      opened={props.open}
      onClose={props.close}
      withCloseButton={false}
      padding={0}
      size={560}
      yOffset="14vh"
      centered={false}
    >
      <Choice close={props.close} doors={props.doors} />
    </Dialog>
  );
}

const named = (command: Command) => `${command.group} ${command.title}`;

function Choice(props: { close: () => void; doors: Doors }) {
  const [text, setText] = useState('');
  // By its name: cases and saved searches come later and push the others down.
  const [reached, setReached] = useState('');
  /** Enter was pressed for something that had not come yet: it is run when it comes. */
  const [entered, setEntered] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  const { commands, pending } = useCommands(props.doors);
  const found = useMemo(
    () => commands.filter((one) => matches(named(one), text)),
    [commands, text],
  );
  const known = found.findIndex((one) => named(one) === reached);
  const chosen = known >= 0 ? known : Math.min(0, found.length - 1);
  const reach = (index: number) => {
    const command = found[index];
    setReached(command ? named(command) : '');
  };

  useEffect(() => {
    list.current?.querySelector(`[data-at="${chosen}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const run = (command: Command | undefined) => {
    if (!command) return setEntered(pending);
    props.close();
    command.run();
  };

  const late = entered ? found[0] : undefined;
  useEffect(() => {
    if (late) run(late);
  });

  return (
    <>
      <input
        className={styles.paletteInput}
        placeholder="Where to, or what to do?"
        aria-label="Command"
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={chosen >= 0 ? `palette-${chosen}` : undefined}
        data-autofocus
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setReached('');
          setEntered(false);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') reach(Math.min(chosen + 1, found.length - 1));
          else if (event.key === 'ArrowUp') reach(Math.max(chosen - 1, 0));
          else if (event.key === 'Enter') run(found[chosen]);
          else return;
          event.preventDefault();
        }}
      />
      <div className={styles.paletteList} role="listbox" id="palette-list" ref={list}>
        {found.map((command, index) => (
          <div key={named(command)}>
            {found[index - 1]?.group !== command.group && (
              <div className={styles.paletteGroup}>{command.group}</div>
            )}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the input above takes the keys */}
            <div
              role="option"
              tabIndex={-1}
              id={`palette-${index}`}
              data-at={index}
              aria-selected={index === chosen}
              className={styles.paletteItem}
              onMouseMove={() => reach(index)}
              onClick={() => run(command)}
            >
              {command.icon}
              <span className="clip">{command.title}</span>
            </div>
          </div>
        ))}
        {found.length === 0 && (
          <div className={styles.paletteGroup}>
            {pending ? 'Looking…' : 'Nothing is called that.'}
          </div>
        )}
      </div>
    </>
  );
}
