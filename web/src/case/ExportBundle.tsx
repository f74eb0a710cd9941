// SPDX-License-Identifier: Apache-2.0
// Writes a case, or one exhibit, as a sealed bundle, shows how far it is, and hands it out.
import { Alert, Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Download, PackageCheck, Trash2 } from 'lucide-react';
import { use, useEffect, useState } from 'react';
import { Gate } from '../access/Gate';
import { useMay } from '../access/may';
import { address, ask } from '../api/client';
import type { Bundle } from '../api/contract';
import { bundles } from '../api/queries';
import { Confirm } from '../people/Confirm';
import { Dialog } from '../shell/Dialog';
import { isRunning, ProgressLine } from '../shell/Progress';
import { bytes } from '../text/number';
import { told } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './case.module.css';
import { ProgressContext } from './progress';

/** The job of an export, as its name begins. */
const EXPORTING = 'Exporting a bundle';

export function ExportBundle(props: { name: string; exhibit?: string }) {
  const { name, exhibit } = props;
  const [open, setOpen] = useState(false);
  const [begun, setBegun] = useState('');
  const jobs = use(ProgressContext).filter((one) => one.what.startsWith(EXPORTING));
  const running = jobs.filter(isRunning);
  const { may } = useMay('seal', name);
  const ready = useQuery({ ...bundles(name), enabled: may });
  const asked = useQueryClient();
  const ended = jobs.length - running.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when a job has ended
  useEffect(() => {
    void asked.invalidateQueries({ queryKey: ['bundles', name] });
  }, [asked, name, ended]);
  const waiting = begun && !jobs.some((one) => one.what.endsWith(begun));
  const failed = !waiting && jobs[0] && /failed|stopped/.test(jobs[0].state) ? jobs[0] : undefined;
  return (
    <section className={styles.bundles} aria-label="Bundles">
      <div className={styles.bundlesHead}>
        <p className="muted">
          A sealed bundle carries the evidence with its whole record, a report for people and what a
          third party needs to check it all without us.
        </p>
        <Gate permission="seal" case={name}>
          <Button
            leftSection={<PackageCheck size={16} />}
            variant="default"
            onClick={() => setOpen(true)}
          >
            {exhibit ? 'Export this exhibit' : 'Export a bundle'}
          </Button>
        </Gate>
      </div>
      {waiting && (
        <p className="muted" role="status">
          Beginning…
        </p>
      )}
      {running.map((one) => (
        <ProgressLine key={one.job} progress={one} />
      ))}
      {failed && (
        <Alert color="red" title="The last export broke off, and nothing of it was left">
          <Value
            text={failed.log[failed.log.length - 1] ?? 'Its process ended before it was done.'}
            limit={500}
          />
        </Alert>
      )}
      {ready.data?.bundles.map((one) => (
        <Ready key={one.name} bundle={one} name={name} />
      ))}
      {ready.data && ready.data.bundles.length > 0 && (
        <p className="muted">
          Tell the receiver this fingerprint of the key by another way than the bundle:{' '}
          <code className="mono">{ready.data.fingerprint}</code>
        </p>
      )}
      <Asking
        name={name}
        exhibit={exhibit}
        open={open}
        close={() => setOpen(false)}
        begun={setBegun}
      />
    </section>
  );
}

function Ready(props: { bundle: Bundle; name: string }) {
  const { bundle, name } = props;
  const { zone } = usePreferences();
  const asked = useQueryClient();
  const [asking, setAsking] = useState(false);
  const where = address(['cases', name, 'bundles', bundle.name]);
  const removing = useMutation({
    mutationFn: () => ask('DELETE', where),
    onSettled: () => asked.invalidateQueries({ queryKey: ['bundles', name] }),
  });
  return (
    <div className={styles.bundle}>
      <span className="clip mono">
        <Value text={bundle.name} limit={160} />
      </span>
      <span className="muted number">{bytes(bundle.size)}</span>
      <span className="muted number">{told(bundle.made, zone).replace(/\.\d+ /, ' ')}</span>
      <Button
        component="a"
        href={where}
        download={bundle.name}
        size="compact-sm"
        leftSection={<Download size={14} />}
      >
        Download
      </Button>
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        aria-label={`Remove ${bundle.name}`}
        loading={removing.isPending}
        onClick={() => setAsking(true)}
      >
        <Trash2 size={14} />
      </Button>
      {asking && (
        <Confirm
          title="Remove this bundle"
          word="Remove"
          close={() => setAsking(false)}
          run={() => removing.mutate()}
        >
          The file {bundle.name} goes. It is a copy: evidence and ledger stay as they are, and the
          case can be exported again.
        </Confirm>
      )}
    </div>
  );
}

function Asking(props: {
  name: string;
  exhibit?: string;
  open: boolean;
  close: () => void;
  begun: (name: string) => void;
}) {
  const { name, exhibit, open, close } = props;
  const [reason, setReason] = useState('');
  const [references, setReferences] = useState(false);
  const beginning = useMutation({
    mutationFn: () =>
      ask<{ name: string }>('POST', address(['cases', name, 'bundles']), {
        body: { reason: reason.trim(), references, exhibit: exhibit ?? '' },
      }),
    onSuccess: (answer) => {
      setReason('');
      props.begun(answer.name);
      close();
    },
  });
  return (
    <Dialog
      opened={open}
      onClose={close}
      title={exhibit ? `Export exhibit ${exhibit}` : `Export case ${name}`}
    >
      <form
        className={styles.bundleForm}
        onSubmit={(event) => {
          event.preventDefault();
          if (reason.trim()) beginning.mutate();
        }}
      >
        <p className="muted">
          {exhibit
            ? 'The bundle holds this exhibit, its rows and its life, and says nothing of other cases.'
            : 'The bundle holds every exhibit of the case, its timeline, tags and comments.'}
        </p>
        <TextInput
          label="Reason"
          description="Stands in the ledger and in the report."
          placeholder="request of the court, 12/26"
          maxLength={500}
          data-autofocus
          required
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Checkbox
          label="Only say where the bytes of the evidence are"
          description="For evidence that stays where it is. The receiver cannot hash it."
          checked={references}
          onChange={(event) => setReferences(event.currentTarget.checked)}
        />
        {beginning.isError && (
          <Alert color="red" title="It was not begun">
            {beginning.error.message}
          </Alert>
        )}
        <div className={styles.bundleButtons}>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" disabled={!reason.trim()} loading={beginning.isPending}>
            Export
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
