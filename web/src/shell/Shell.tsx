// SPDX-License-Identifier: Apache-2.0
import { Menu, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import {
  Command,
  FolderSearch,
  Keyboard,
  LogOut,
  ScrollText,
  Settings2,
  UserRound,
} from 'lucide-react';
import { useEffect, useState } from 'react';
import { address, ask, Failure } from '../api/client';
import { client, session } from '../api/queries';
import { isOwnPath, keepNext } from '../signin/next';
import { leavePreferences, loadPreferences } from '../theme/preferences';
import { taken } from './asked';
import { Keys } from './Keys';
import { Palette } from './Palette';
import { RespondPlace } from './RespondPlace';
import styles from './shell.module.css';

const COMMAND = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K';

/**
 * Sends somebody whose session has ended to the sign-in page, and back afterwards: whatever was asked
 * or was to be changed when it turned out.
 */
function useEndedSession(): void {
  const navigate = useNavigate();
  useEffect(() => {
    const heard = (notice: { type: string; action?: { type: string; error?: unknown } }) => {
      if (notice.type !== 'updated' || notice.action?.type !== 'error') return;
      const { error } = notice.action;
      if (!(error instanceof Failure) || error.status !== 401) return;
      client.removeQueries({ queryKey: ['session'] });
      const next = window.location.pathname + window.location.search;
      // Several answers may say so at once; all but the first find the address of the sign-in page.
      if (!isOwnPath(next)) return;
      keepNext(next);
      void navigate({ to: '/sign-in', search: { next } });
    };
    const ends = [
      client.getQueryCache().subscribe(heard),
      client.getMutationCache().subscribe(heard),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [navigate]);
}

export function Shell() {
  const person = useQuery(session());
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  useEndedSession();

  useEffect(() => {
    void loadPreferences();
  }, []);

  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setPalette((open) => !open);
      } else if (event.key === '?' && !taken(event)) setKeys(true);
    };
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);

  const leave = async () => {
    await leavePreferences();
    await ask('DELETE', address(['session'])).catch(() => undefined);
    // Loaded anew: what the page still holds, such as marks to undo, is not the next person's.
    window.location.assign('/sign-in');
  };

  return (
    <div className={styles.frame}>
      <nav className={styles.rail} aria-label="Places">
        <Link to="/cases" aria-label="Locard, all cases">
          <img src="/locard.svg" alt="" className={styles.mark} />
        </Link>
        <Link to="/cases" className={styles.place}>
          <FolderSearch size={18} />
          Cases
        </Link>
        <RespondPlace />
        <Link to="/custody" className={styles.place}>
          <ScrollText size={18} />
          Custody
        </Link>
        <Tooltip label={`Go anywhere, do anything (${COMMAND})`} position="right">
          <button type="button" className={styles.place} onClick={() => setPalette(true)}>
            <Command size={18} />
            Go to
          </button>
        </Tooltip>
        <span className={styles.push} />
        <button type="button" className={styles.place} onClick={() => setKeys(true)}>
          <Keyboard size={18} />
          Keys
        </button>
        <Link to="/settings" className={styles.place}>
          <Settings2 size={18} />
          Settings
        </Link>
        <Menu position="right-end">
          <Menu.Target>
            <button
              type="button"
              className={styles.place}
              aria-label={`Account: ${person.data?.username ?? ''}`}
            >
              <UserRound size={18} />
              <span className="clip" style={{ maxWidth: 46 }}>
                {person.data?.username ?? ''}
              </span>
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{person.data?.name || person.data?.username}</Menu.Label>
            <Menu.Item leftSection={<LogOut size={14} />} onClick={() => void leave()}>
              Sign out
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </nav>
      <main className={styles.main}>
        <Outlet />
      </main>
      <Palette
        open={palette}
        close={() => setPalette(false)}
        doors={{ keys: () => setKeys(true), leave: () => void leave() }}
      />
      <Keys open={keys} close={() => setKeys(false)} />
    </div>
  );
}
