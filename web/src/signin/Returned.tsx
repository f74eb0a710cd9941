// SPDX-License-Identifier: Apache-2.0
// Where the single sign-on provider sends the browser back to.
import { Button } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { address, ask, Failure } from '../api/client';
import { client } from '../api/queries';
import { takeNext } from './next';
import styles from './signin.module.css';

export function Returned() {
  const router = useRouter();
  const [wrong, setWrong] = useState('');
  const begun = useRef(false);

  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    const carried = new URLSearchParams(window.location.search);
    // A code in the address would stay in the history of the browser.
    window.history.replaceState(null, '', window.location.pathname);
    const finish = async () => {
      if (carried.get('error')) {
        setWrong('The provider did not sign you in. Begin anew, or ask whoever runs it.');
        return;
      }
      const body = {
        state: carried.get('state') ?? '',
        code: carried.get('code') ?? '',
        iss: carried.get('iss') ?? '',
      };
      try {
        await ask('POST', address(['session', 'single-sign-on', 'return']), { body });
        client.clear();
        router.history.replace(takeNext());
      } catch (error) {
        const problem = error instanceof Failure ? error.problem : null;
        setWrong(
          [problem?.detail || 'Signing in failed.', problem?.advice].filter(Boolean).join(' '),
        );
      }
    };
    void finish();
  });

  return (
    <div className={styles.page}>
      <div className={styles.box}>
        <div className={styles.head}>
          <img src="/locard.svg" alt="" />
          <h1>{wrong ? 'You are not signed in' : 'Signing in …'}</h1>
        </div>
        {wrong && (
          <>
            <p className={styles.bad} role="alert">
              {wrong}
            </p>
            <Button component="a" href="/sign-in" size="sm">
              Back to the sign-in page
            </Button>
          </>
        )}
      </div>
    </div>
  );
}
