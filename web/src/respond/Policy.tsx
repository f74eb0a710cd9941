// SPDX-License-Identifier: Apache-2.0
// The least that Locard has to be allowed, as it is handed in.
import { Button, MultiSelect, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '../access/may';
import { address, get } from '../api/client';
import type { CloudAccount } from '../api/contract';
import { cloudActions } from '../api/respond';
import frame from '../case/case.module.css';
import { Wrong } from '../shell/Form';
import { copy } from '../timeline/Fields';
import styles from './accounts.module.css';
import sheet from './respond.module.css';

export function Policy(props: { accounts: CloudAccount[] }) {
  const leave = useMay('settings');
  const actions = useQuery(cloudActions());
  const [chosen, setChosen] = useState<string[]>([]);
  const [form, setForm] = useState('json');
  const policy = useQuery({
    queryKey: ['policy', form, chosen],
    queryFn: ({ signal }) =>
      get<{ text: string }>(address(['actions', 'policy'], { form, action: chosen }), signal),
    enabled: leave.may,
  });
  if (!leave.may) return null;
  return (
    <section className={frame.panel}>
      <h2>
        <ShieldCheck size={15} /> What Locard has to be allowed
      </h2>
      <div className={styles.policy}>
        <p className="muted">
          The least, derived from what the actions declare. Each run is narrowed further, to its
          target.
        </p>
        <div className={sheet.askLine}>
          <MultiSelect
            className={sheet.askTarget}
            label="Actions"
            placeholder={chosen.length === 0 ? 'all of them' : undefined}
            data={(actions.data ?? []).map((one) => ({ value: one.id, label: one.title }))}
            clearable
            value={chosen}
            onChange={setChosen}
          />
          <Select
            label="Form"
            data={[
              { value: 'json', label: 'IAM policy' },
              { value: 'terraform', label: 'Terraform' },
              { value: 'cloudformation', label: 'CloudFormation' },
            ]}
            allowDeselect={false}
            value={form}
            onChange={(next) => setForm(next ?? 'json')}
          />
          <Button
            variant="default"
            disabled={!policy.data}
            onClick={() => copy(policy.data?.text ?? '', 'Policy')}
          >
            Copy
          </Button>
        </div>
        <Wrong error={policy.error} />
        {policy.data && <pre className={sheet.given}>{policy.data.text}</pre>}
        <Trust accounts={props.accounts.filter((one) => one.role)} />
      </div>
    </section>
  );
}

/** Who may take the role: the other half, with the external id in it. */
function Trust(props: { accounts: CloudAccount[] }) {
  const [account, setAccount] = useState<string | null>(props.accounts[0]?.name ?? null);
  const [principal, setPrincipal] = useState('');
  const trust = useQuery({
    queryKey: ['trust', account, principal],
    queryFn: ({ signal }) =>
      get<{ text: string }>(address(['accounts', account ?? '', 'trust'], { principal }), signal),
    enabled: Boolean(account) && principal.startsWith('arn:'),
  });
  if (props.accounts.length === 0) return null;
  return (
    <>
      <div className={sheet.askLine}>
        <Select
          label="Who may take the role of"
          data={props.accounts.map((one) => one.name)}
          allowDeselect={false}
          value={account}
          onChange={setAccount}
        />
        <TextInput
          className={sheet.askTarget}
          label="The principal that Locard runs as"
          placeholder="arn:aws:iam::210987654321:role/Responder"
          value={principal}
          onChange={(event) => setPrincipal(event.currentTarget.value)}
        />
        <Button
          variant="default"
          disabled={!trust.data}
          onClick={() => copy(trust.data?.text ?? '', 'Trust policy')}
        >
          Copy
        </Button>
      </div>
      {trust.data && <pre className={sheet.given}>{trust.data.text}</pre>}
    </>
  );
}
