// SPDX-License-Identifier: Apache-2.0
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { address, ask, Failure } from '../api/client';
import { client, ways as waysQuery } from '../api/queries';
import { takeNext } from './next';
import styles from './signin.module.css';

/** What is to be sent again once the code of the second factor is there. */
interface Waiting {
  where: string;
  body: Record<string, string>;
}

export function SignIn() {
  const router = useRouter();
  const ways = useQuery(waysQuery()).data;
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const used = useRef('');

  const failed = (error: unknown) => {
    const problem = error instanceof Failure ? error.problem : null;
    setWrong([problem?.detail || 'Signing in failed.', problem?.advice].filter(Boolean).join(' '));
    setBusy(false);
  };

  const enter = async (where: string, body: Record<string, string>) => {
    setBusy(true);
    setWrong('');
    try {
      await ask('POST', where, { body });
      client.clear();
      router.history.replace(takeNext());
    } catch (error) {
      if (error instanceof Failure && error.problem.needs === 'code') {
        setWaiting({ where, body });
        setBusy(false);
        return;
      }
      setCode('');
      failed(error);
    }
  };

  const elsewhere = async () => {
    setBusy(true);
    setWrong('');
    try {
      const away = await ask<{ address: string }>('POST', address(['session', 'single-sign-on']));
      window.location.assign(away.address);
    } catch (error) {
      failed(error);
    }
  };

  // A one-time link carries its token behind the #, which browsers never send or log.
  useEffect(() => {
    const redeem = async () => {
      const token = window.location.hash.slice(1);
      if (!token || used.current === token) return;
      used.current = token;
      window.history.replaceState(null, '', window.location.pathname + window.location.search);
      await enter(address(['session', 'link']), { token });
    };
    void redeem();
    // A link that is pasted over the address of this page changes nothing but the part behind #.
    const pasted = () => void redeem();
    window.addEventListener('hashchange', pasted);
    return () => window.removeEventListener('hashchange', pasted);
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (waiting) void enter(waiting.where, { ...waiting.body, code });
    else void enter(address(['session']), { username, password });
  };

  return (
    <div className={styles.page}>
      <form className={styles.box} onSubmit={submit}>
        <div className={styles.head}>
          <img src="/locard.svg" alt="" />
          <h1>Sign in to Locard</h1>
          <span className="muted">Evidence in custody, one provable timeline</span>
        </div>
        {wrong && (
          <p className={styles.bad} role="alert">
            {wrong}
          </p>
        )}
        {waiting ? (
          <>
            <TextInput
              label="Code"
              description="Of your authenticator app, or a recovery code"
              inputMode="numeric"
              autoComplete="one-time-code"
              autoFocus
              required
              withAsterisk={false}
              maxLength={40}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
            />
            <Button type="submit" size="sm" loading={busy}>
              Sign in
            </Button>
            <Button
              variant="subtle"
              size="compact-sm"
              onClick={() => {
                setWaiting(null);
                setCode('');
                setWrong('');
              }}
            >
              Back
            </Button>
          </>
        ) : (
          <>
            {ways?.single_sign_on && (
              <>
                <Button size="sm" loading={busy} onClick={() => void elsewhere()}>
                  Sign in with {ways.single_sign_on}
                </Button>
                <span className={styles.or}>or</span>
              </>
            )}
            <TextInput
              label="Name"
              autoComplete="username"
              autoFocus
              required
              withAsterisk={false}
              value={username}
              onChange={(event) => setUsername(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              autoComplete="current-password"
              required
              withAsterisk={false}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            <Button
              type="submit"
              size="sm"
              variant={ways?.single_sign_on ? 'default' : 'filled'}
              loading={busy}
            >
              Sign in
            </Button>
            <span className="faint" style={{ textAlign: 'center' }}>
              No password yet? <span className="mono">locard serve</span> prints a sign-in link.
            </span>
          </>
        )}
      </form>
    </div>
  );
}
