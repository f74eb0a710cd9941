// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { address } from '../api/client';
import { cases, grants, groups, users } from '../api/queries';
import frame from '../case/case.module.css';
import { Bones, Failed } from '../shell/States';
import { GrantForm, Grants } from './Given';
import { Groups } from './Groups';
import { Happened } from './Happened';
import styles from './people.module.css';
import { RoleTable } from './RoleTable';
import { Users } from './Users';

/** Users, groups and grants of the installation, and what happened to them. */
export function People() {
  const people = useQuery(users());
  const given = useQuery(grants());
  const bunches = useQuery(groups());
  const known = useQuery(cases());
  const failed = [people, given, bunches].find((one) => one.isError && !one.data);
  return (
    <>
      <header className={frame.head}>
        <h1 style={{ fontSize: 15 }}>
          <Link to="/settings" className="muted">
            Settings
          </Link>{' '}
          <span className="faint">/</span> People, groups and roles
        </h1>
      </header>
      <div className={frame.body}>
        {failed ? (
          <Failed error={failed.error} again={() => void failed.refetch()} />
        ) : !people.data || !given.data || !bunches.data ? (
          <div className={frame.sheet}>
            <Bones rows={8} height={22} />
          </div>
        ) : (
          <div className={frame.sheet}>
            <Users users={people.data} cases={(known.data ?? []).map((one) => one.name)} />
            <section className={frame.panel}>
              <h2>Grants</h2>
              <div className={styles.scroll}>
                <Grants grants={given.data} where={(grant) => address(['grants', grant.id])} />
              </div>
              <GrantForm
                users={people.data.filter((one) => !one.disabled).map((one) => one.username)}
                groups={bunches.data.map((one) => one.name)}
                cases={(known.data ?? []).map((one) => one.name)}
                where={address(['grants'])}
              />
            </section>
            <Groups groups={bunches.data} users={people.data.map((one) => one.username)} />
            <RoleTable />
            <Happened />
          </div>
        )}
      </div>
    </>
  );
}
