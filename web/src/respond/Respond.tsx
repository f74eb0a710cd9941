// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { CloudOff, Download, ShieldAlert, Siren } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '../access/may';
import type { CloudAccount, CloudAction } from '../api/contract';
import { cloudAccounts, cloudActions, type Ordered, proposals } from '../api/respond';
import frame from '../case/case.module.css';
import { Bones, Failed, Nothing } from '../shell/States';
import { Value } from '../text/Value';
import type { RespondAddress } from './address';
import { Confirm } from './Confirm';
import { PlanView } from './PlanView';
import { PlaybookRuns } from './PlaybookRuns';
import styles from './plans.module.css';
import { Runs } from './Runs';
import sheet from './respond.module.css';
import { meant } from './targets';
import { DOING } from './telling';

/** What was done in clouds for this case, and what could be done next. */
export function Respond() {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const search = useSearch({ from: '/inside/cases/$case/respond' });
  const navigate = useNavigate({ from: '/cases/$case/respond' });
  const leave = useMay('respond', name);
  const accounts = useQuery({ ...cloudAccounts(), enabled: leave.may });
  const actions = useQuery({ ...cloudActions(), enabled: leave.may });
  const error = accounts.error ?? actions.error;
  return (
    <div className={frame.body}>
      <div className={frame.sheet}>
        {!leave.may ? (
          <p className="muted">{leave.why} What was done stands below.</p>
        ) : error ? (
          <Failed error={error} again={() => void accounts.refetch()} />
        ) : !accounts.data || !actions.data ? (
          <Bones rows={3} height={30} />
        ) : accounts.data.length === 0 ? (
          <NoAccount />
        ) : (
          <Asking
            key={`${search.target ?? ''} ${search.account ?? ''}`}
            name={name}
            search={search}
            accounts={accounts.data}
            actions={actions.data}
          />
        )}
        {!search.verb && (
          <>
            <PlaybookRuns
              name={name}
              only={search.playbooks ?? ''}
              choose={(playbooks) =>
                void navigate({ search: { ...search, playbooks: playbooks || undefined } })
              }
            />
            <Runs
              name={name}
              only={search.runs ?? ''}
              choose={(runs) => void navigate({ search: { ...search, runs: runs || undefined } })}
            />
          </>
        )}
      </div>
    </div>
  );
}

function NoAccount() {
  return (
    <Nothing
      icon={<CloudOff size={20} />}
      title="No account to act in yet"
      actions={
        <Link to="/respond" search={{ view: 'accounts' }}>
          <Button component="span">Add an account</Button>
        </Link>
      }
    >
      <p>
        Locard collects from and isolates in accounts of a cloud that it was let into, by a role
        that allows exactly that. On the command line:{' '}
        <code>locard account add NAME --role ARN</code>
      </p>
    </Nothing>
  );
}

/** Which target, in which account; then what can be done to it. */
function Asking(props: {
  name: string;
  search: RespondAddress;
  accounts: CloudAccount[];
  actions: CloudAction[];
}) {
  const { name, search, accounts, actions } = props;
  const navigate = useNavigate({ from: '/cases/$case/respond' });
  const number = /:(\d{12}):/.exec(search.target ?? '')?.[1];
  const guess = accounts.find((one) => one.number === number) ?? accounts[0];
  const [typed, setTyped] = useState(search.target ?? '');
  const [chosen, setChosen] = useState(search.account ?? guess?.name ?? '');
  const [region, setRegion] = useState(search.region ?? '');
  const account = accounts.find((one) => one.name === chosen);
  const fitting = meant(actions, typed).filter((one) => one.provider === account?.provider);
  const verbs = new Set(fitting.map((one) => one.verb));
  const kinds = [...new Set(actions.map((one) => one.kind))].sort();
  const look = (verb: 'collect' | 'isolate') =>
    void navigate({
      search: { verb, target: typed.trim(), account: chosen, region: region || undefined },
    });
  const asked =
    search.verb && search.target === typed.trim() && (search.account ?? chosen) === chosen;
  return (
    <>
      <section className={styles.ask} aria-label="Choose a target">
        <div className={sheet.askLine}>
          <TextInput
            label="Target"
            placeholder="i-0abc1234def567890, or an ARN"
            className={sheet.askTarget}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            spellCheck={false}
            autoComplete="off"
          />
          <Select
            label="Account"
            w={260}
            data={accounts.map((one) => ({
              value: one.name,
              label: `${one.name} (${one.number}${one.simulated ? ', simulated' : ''})`,
            }))}
            allowDeselect={false}
            value={chosen}
            onChange={(next) => {
              setChosen(next ?? '');
              setRegion('');
            }}
          />
          <Select
            label="Region"
            placeholder={account?.regions[0]}
            data={account?.regions ?? []}
            clearable
            w={150}
            value={region || null}
            onChange={(next) => setRegion(next ?? '')}
          />
          <Button
            variant={asked && search.verb === 'collect' ? 'filled' : 'default'}
            leftSection={<Download size={14} />}
            disabled={!verbs.has('collect')}
            onClick={() => look('collect')}
          >
            Collect…
          </Button>
          <Button
            variant={asked && search.verb === 'isolate' ? 'filled' : 'outline'}
            color="red"
            leftSection={<ShieldAlert size={14} />}
            disabled={!verbs.has('isolate')}
            onClick={() => look('isolate')}
          >
            Isolate…
          </Button>
        </div>
        <p className="muted">
          {typed.trim() && fitting.length === 0
            ? `Nothing can be done to what is called so. Known are: ${kinds.join(', ')}, by id or ARN.`
            : fitting.length > 0
              ? `Kind: ${fitting[0]?.kind}. You see the whole plan first; nothing is changed until you confirm it.`
              : 'Both show the whole plan first. Nothing is changed until you confirm it.'}
        </p>
      </section>
      {asked && search.verb && search.target && (
        <Plans
          key={`${search.verb} ${search.target} ${search.account} ${search.region}`}
          name={name}
          verb={search.verb}
          target={search.target}
          account={chosen}
          region={search.region ?? ''}
          actions={fitting.filter((one) => one.verb === search.verb)}
        />
      )}
    </>
  );
}

function Plans(props: {
  name: string;
  verb: 'collect' | 'isolate';
  target: string;
  account: string;
  region: string;
  actions: CloudAction[];
}) {
  const { name, verb, target, account, region } = props;
  const [options, setOptions] = useState<Record<string, boolean | string>>({});
  const order: Ordered = { verb, target, account, region, options };
  const found = useQuery(proposals(name, order));
  const choices = verb === 'isolate' ? (props.actions[0]?.options ?? []) : [];
  const first = found.data?.[0];
  return (
    <section className={styles.plans} aria-label="The plan">
      <div className={styles.plansHead}>
        <h2>
          <Siren size={16} aria-hidden /> {DOING[verb]} <Value text={first?.target.id ?? target} />
        </h2>
        <p className="muted">
          {first ? (
            <>
              {first.target.kind} in account <strong>{first.account}</strong> (
              {first.target.account}
              {first.target.region && `, ${first.target.region}`}).{' '}
              {first.simulated && <strong>This account is simulated: no cloud is touched. </strong>}
              Nothing was changed yet.
            </>
          ) : (
            'Asking the account what is there. This only reads.'
          )}
        </p>
      </div>
      {found.isError && <Failed error={found.error} again={() => void found.refetch()} />}
      {found.isPending && <Bones rows={8} height={20} />}
      {found.data && (
        <div className={styles.plansBody} aria-busy={found.isFetching}>
          <div className={styles.plansList}>
            {found.data.map((plan, at) => (
              <PlanView
                key={plan.action}
                plan={plan}
                place={found.data.length > 1 ? `${at + 1} of ${found.data.length}` : undefined}
              />
            ))}
          </div>
          <aside className={styles.plansSide}>
            {choices.length > 0 && (
              <fieldset className={styles.options}>
                <legend>Choices</legend>
                {choices.map((one) =>
                  typeof one.default === 'boolean' ? (
                    <Checkbox
                      key={one.name}
                      label={capital(one.title)}
                      checked={Boolean(options[one.name] ?? one.default)}
                      onChange={(event) =>
                        setOptions({ ...options, [one.name]: event.currentTarget.checked })
                      }
                    />
                  ) : (
                    <Choice
                      key={one.name}
                      title={one.title}
                      value={String(options[one.name] ?? one.default)}
                      put={(value) => setOptions({ ...options, [one.name]: value })}
                    />
                  ),
                )}
              </fieldset>
            )}
            <Confirm name={name} order={order} plans={found.data} />
          </aside>
        </div>
      )}
    </section>
  );
}

/** A choice among words: its title names them after a colon. */
function Choice(props: { title: string; value: string; put: (value: string) => void }) {
  const [label, list] = props.title.split(':');
  const words = (list ?? '').split(/,| or /).map((one) => one.trim());
  return (
    <Select
      label={capital(label ?? '')}
      data={[...new Set([...words.filter(Boolean), props.value])]}
      allowDeselect={false}
      value={props.value}
      onChange={(next) => next && props.put(next)}
    />
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
