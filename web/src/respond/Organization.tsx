// SPDX-License-Identifier: Apache-2.0
// All accounts of an organization at once: the roles that it takes, what would be entered, and what
// became of each account.
import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Building2, Download, Eye } from 'lucide-react';
import { useState } from 'react';
import { Gate } from '../access/Gate';
import { useMay } from '../access/may';
import { address, ask, get } from '../api/client';
import type { CloudAccount, OrganizationWork as Work } from '../api/contract';
import { client } from '../api/queries';
import { organizationWork } from '../api/respond';
import frame from '../case/case.module.css';
import { Wrong } from '../shell/Form';
import { counted } from '../text/number';
import styles from './accounts.module.css';
import { RunningWorks, WorkShown } from './OrganizationWork';
import { listed } from './regions';
import sheet from './respond.module.css';

export function Organization(props: { accounts: CloudAccount[] }) {
  const leave = useMay('settings');
  const [open, setOpen] = useState(false);
  const [own, setOwn] = useState<string[]>([]);
  const begun = (work: Work) => {
    client.setQueryData(organizationWork(work.progress.job).queryKey, work);
    setOwn((now) => [...now, work.progress.job]);
  };
  const known = shared(props.accounts);
  if (!leave.may) return null;
  return (
    <section className={frame.panel} aria-label="Organization">
      <h2>
        <Building2 size={15} /> Organization
        <span className={frame.push} />
        {!open && (
          <Button size="compact-sm" variant="default" onClick={() => setOpen(true)}>
            Add an Organization
          </Button>
        )}
      </h2>
      <div className={styles.policy}>
        {!open && (
          <p className="muted">
            One role lists the accounts; into each of them Locard goes by a role of the same name
            there. All of them ask for one external id.
          </p>
        )}
        <RunningWorks own={own} />
        {open && <Adding close={() => setOpen(false)} begun={begun} />}
        {known.length > 0 && <Again names={known} begun={begun} />}
      </div>
    </section>
  );
}

/** Accounts that share their external id with others: one of them lists the others. */
function shared(accounts: CloudAccount[]): string[] {
  const times = new Map<string, number>();
  for (const one of accounts) times.set(one.external_id, (times.get(one.external_id) ?? 0) + 1);
  return accounts
    .filter((one) => one.external_id && (times.get(one.external_id) ?? 0) > 1)
    .map((one) => one.name);
}

/** An external id that nobody guesses, so that it can stand in the roles before they are added. */
function made(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

function Adding(props: { close: () => void; begun: (work: Work) => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState('');
  const [member, setMember] = useState('Locard');
  const [regions, setRegions] = useState('');
  const [external, setExternal] = useState(made);
  const body = {
    role: role.trim(),
    member_role: member.trim(),
    external_id: external.trim(),
    regions: listed(regions),
  };
  const look = useMutation({
    mutationFn: () => ask<Work>('POST', address(['organizations', 'look']), { body }),
    onSuccess: props.begun,
  });
  const add = useMutation({
    mutationFn: () =>
      ask<Work>('POST', address(['organizations']), { body: { ...body, name: name.trim() } }),
    onSuccess: props.begun,
  });
  const looked = useQuery(organizationWork(look.data?.progress.job ?? '')).data;
  const ready = body.role && body.member_role && body.external_id && body.regions.length > 0;
  const ahead = looked?.members.filter((one) => one.state === 'open').length ?? 0;
  const edited = (set: (text: string) => void) => (text: string) => {
    set(text);
    look.reset();
  };
  return (
    <>
      <form
        className={styles.organization}
        aria-label="Add an Organization"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) look.mutate();
        }}
      >
        <Field
          label="Role that may list the accounts"
          placeholder="arn:aws:iam::123456789012:role/Lists"
          value={role}
          put={edited(setRole)}
        />
        <Field
          label="Name of the role in every account"
          placeholder="Locard"
          value={member}
          put={edited(setMember)}
        />
        <Field
          label="Regions, the usual one first"
          placeholder="eu-central-1 us-east-1"
          value={regions}
          put={edited(setRegions)}
        />
        <Field
          label="External id that all of them ask for"
          value={external}
          put={edited(setExternal)}
        />
        <div className={sheet.waitingEnd}>
          <Button
            type="submit"
            variant={looked ? 'default' : 'filled'}
            leftSection={<Eye size={14} />}
            disabled={!ready}
            loading={look.isPending || looked?.progress.state === 'running'}
          >
            Look what would be entered
          </Button>
          <Button variant="subtle" onClick={props.close}>
            Close
          </Button>
        </div>
      </form>
      <Roles listing={role} member={member} external={external} />
      <Wrong error={look.error ?? add.error} />
      {add.data ? (
        <WorkShown job={add.data.progress.job} adds />
      ) : (
        look.data && (
          <>
            <WorkShown job={look.data.progress.job} />
            <div className={sheet.askLine}>
              <TextInput
                label="What the account that lists is called here"
                placeholder="acme"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Gate permission="settings">
                <Button
                  disabled={!name.trim() || ahead === 0 || looked?.progress.state !== 'done'}
                  loading={add.isPending}
                  onClick={() => add.mutate()}
                >
                  Add {counted(ahead, 'account')}
                </Button>
              </Gate>
            </div>
          </>
        )
      )}
    </>
  );
}

function Field(props: {
  label: string;
  placeholder?: string;
  value: string;
  put: (text: string) => void;
}) {
  return (
    <TextInput
      label={props.label}
      placeholder={props.placeholder}
      spellCheck={false}
      autoComplete="off"
      value={props.value}
      onChange={(event) => props.put(event.currentTarget.value)}
    />
  );
}

const FORMS = [
  { value: 'cloudformation', label: 'CloudFormation (a StackSet)' },
  { value: 'terraform', label: 'Terraform' },
  { value: 'json', label: 'IAM JSON' },
];
const ENDINGS: Record<string, string> = { terraform: 'tf', cloudformation: 'template.json' };

/** Both roles with what they may do and who may take them, to be made before anything is added. */
function Roles(props: { listing: string; member: string; external: string }) {
  const [principal, setPrincipal] = useState('');
  const [form, setForm] = useState('cloudformation');
  const lists = props.listing.trim().split(':role/')[1] ?? 'LocardLists';
  const fetched = useMutation({
    mutationFn: async (part: 'listing' | 'member') => {
      const name = part === 'listing' ? lists : props.member.trim();
      const asked = { part, name, principal: principal.trim(), external_id: props.external, form };
      const found = await get<{ text: string }>(address(['organizations', 'role'], asked));
      save(found.text, `${name.replaceAll('/', '-')}.${ENDINGS[form] ?? 'json'}`);
    },
  });
  const ready = /^arn:[\w-]+:(iam|sts)::\d{12}:./.test(principal.trim()) && props.member.trim();
  return (
    <fieldset className={styles.roles}>
      <legend>Roles to make first</legend>
      <div className={sheet.askLine}>
        <TextInput
          className={sheet.askTarget}
          label="The principal that Locard runs as"
          placeholder="arn:aws:iam::210987654321:role/Responder"
          spellCheck={false}
          value={principal}
          onChange={(event) => setPrincipal(event.currentTarget.value)}
        />
        <Select
          label="Form"
          data={FORMS}
          allowDeselect={false}
          value={form}
          onChange={(next) => setForm(next ?? 'cloudformation')}
        />
        <Button
          variant="default"
          leftSection={<Download size={14} />}
          disabled={!ready}
          onClick={() => fetched.mutate('listing')}
        >
          The role that lists
        </Button>
        <Button
          variant="default"
          leftSection={<Download size={14} />}
          disabled={!ready}
          onClick={() => fetched.mutate('member')}
        >
          The role in every account
        </Button>
      </div>
      <Wrong error={fetched.error} />
    </fieldset>
  );
}

function save(text: string, name: string): void {
  const where = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = where;
  link.download = name;
  link.click();
  URL.revokeObjectURL(where);
}

/** A new look at an organization that was added: who has come, who has left. */
function Again(props: { names: string[]; begun: (work: Work) => void }) {
  const [name, setName] = useState<string | null>(null);
  const [forget, setForget] = useState(false);
  const look = useMutation({
    mutationFn: () =>
      ask<Work>('POST', address(['organizations', name ?? '', 'refresh']), {
        body: { forget },
      }),
    onSuccess: props.begun,
  });
  return (
    <>
      <div className={sheet.askLine}>
        <Select
          label="Look again, by the account that lists"
          placeholder="Choose"
          data={props.names}
          value={name}
          onChange={setName}
        />
        <Checkbox
          label="Forget accounts that have left"
          checked={forget}
          onChange={(event) => setForget(event.currentTarget.checked)}
          mb={8}
        />
        <Gate permission="settings">
          <Button
            variant="default"
            disabled={!name}
            loading={look.isPending}
            onClick={() => look.mutate()}
          >
            Look again
          </Button>
        </Gate>
      </div>
      <Wrong error={look.error} />
      {look.data && <WorkShown job={look.data.progress.job} adds />}
    </>
  );
}
