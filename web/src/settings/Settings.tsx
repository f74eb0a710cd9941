// SPDX-License-Identifier: Apache-2.0
import { Button, SegmentedControl, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { about, session } from '../api/queries';
import frame from '../case/case.module.css';
import { ZONES } from '../text/time';
import { choose, type Preferences, usePreferences } from '../theme/preferences';
import { Mine } from './Mine';
import { Password } from './Password';
import { SecondFactor } from './SecondFactor';
import styles from './settings.module.css';
import { Tokens } from './Tokens';

export function Settings() {
  const me = useQuery(session());
  const version = useQuery(about());
  return (
    <>
      <header className={frame.head}>
        <h1 style={{ fontSize: 15 }}>Settings</h1>
        <span className={frame.push} />
        <span className="faint">{version.data && `Locard ${version.data.version}`}</span>
      </header>
      <div className={frame.body}>
        <div className={`${frame.sheet} ${frame.two} ${styles.sheet}`}>
          <Looks />
          <Password />
          <SecondFactor />
          <Tokens />
          {me.data?.anywhere.includes('people') && (
            <Section title="People, groups and roles">
              <p style={{ margin: 0 }}>Who may sign in, and who may do what in which case.</p>
              <div>
                <Link to="/settings/people">
                  <Button component="span" variant="default">
                    Manage people
                  </Button>
                </Link>
              </div>
            </Section>
          )}
          {me.data && <Mine />}
          {version.data && (
            <Section title="How evidence is read">
              <p style={{ margin: 0 }}>
                Parsers run in processes of their own. In force on this machine:{' '}
                <strong>{version.data.confinement}</strong>.
              </p>
            </Section>
          )}
        </div>
      </div>
    </>
  );
}

export function Section(props: { title: string; children: ReactNode }) {
  return (
    <section className={frame.panel}>
      <h2>{props.title}</h2>
      <div className={styles.section}>{props.children}</div>
    </section>
  );
}

function Looks() {
  const now = usePreferences();
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Section title="How it looks">
      <div className={styles.choice}>
        <span>Theme</span>
        <SegmentedControl
          size="xs"
          aria-label="Theme"
          value={now.theme}
          onChange={(theme) => choose({ theme: theme as Preferences['theme'] })}
          data={[
            { value: 'system', label: 'As the system' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ]}
        />
      </div>
      <div className={styles.choice}>
        <span>Density</span>
        <SegmentedControl
          size="xs"
          aria-label="Density"
          value={now.density}
          onChange={(density) => choose({ density: density as Preferences['density'] })}
          data={[
            { value: 'compact', label: 'Compact' },
            { value: 'comfortable', label: 'Comfortable' },
          ]}
        />
      </div>
      <div className={styles.choice}>
        <span>
          Times in
          <small className="muted">
            This browser is in {own}. The zone is named beside every time.
          </small>
        </span>
        <Select
          aria-label="Time zone"
          size="xs"
          w={240}
          searchable
          limit={80}
          data={ZONES}
          value={now.zone}
          onChange={(zone) => zone && choose({ zone })}
        />
      </div>
    </Section>
  );
}
