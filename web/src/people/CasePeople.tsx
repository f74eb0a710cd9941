// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { address } from '../api/client';
import { caseGrants } from '../api/queries';
import frame from '../case/case.module.css';
import { Bones, Failed } from '../shell/States';
import { caseGrant, GrantForm, Grants } from './Given';
import styles from './people.module.css';
import { RoleTable } from './RoleTable';

/** Who may do what in one case. */
export function CasePeople() {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const found = useQuery(caseGrants(name));
  if (found.isError && !found.data) {
    return <Failed error={found.error} again={() => void found.refetch()} />;
  }
  return (
    <div className={frame.body}>
      <div className={frame.sheet}>
        <section className={frame.panel}>
          <h2>Who may do what in this case</h2>
          {found.data ? (
            <>
              <div className={styles.scroll}>
                <Grants
                  grants={found.data.grants}
                  where={caseGrant(name)}
                  mine={(grant) => grant.case === name}
                />
              </div>
              <GrantForm
                users={found.data.users}
                groups={found.data.groups}
                where={address(['cases', name, 'grants'])}
              />
            </>
          ) : (
            <div style={{ padding: 16 }}>
              <Bones rows={4} height={20} />
            </div>
          )}
        </section>
        <RoleTable />
      </div>
    </div>
  );
}
