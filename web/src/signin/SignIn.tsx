// SPDX-License-Identifier: Apache-2.0
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { address, ask, Failure } from '../api/client';
import { client } from '../api/queries';
import { takeNext } from './next';
import styles from './signin.module.css';

export function SignIn() {
  const router = useRouter();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const used = useRef('');

  const enter = async (where: string, body: unknown) => {
    setBusy(true);
    setWrong('');
    try {
      await ask('POST', where, { body });
      client.clear();
      router.history.replace(takeNext());
    } catch (error) {
      const problem = error instanceof Failure ? error.problem : null;
      setWrong(
        [problem?.detail || 'Signing in failed.', problem?.advice].filter(Boolean).join(' '),
      );
      setBusy(false);
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
    void enter(address(['session']), { username, password });
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
        <Button type="submit" size="sm" loading={busy}>
          Sign in
        </Button>
        <span className="faint" style={{ textAlign: 'center' }}>
          No password yet? <span className="mono">locard serve</span> prints a sign-in link.
        </span>
      </form>
    </div>
  );
}
