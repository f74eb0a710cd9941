// SPDX-License-Identifier: Apache-2.0
import { Button, Select, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { FileStack, FolderUp, Search, Upload } from 'lucide-react';
import { type ChangeEvent, type DragEvent, use, useCallback, useRef, useState } from 'react';
import { Gate } from '../access/Gate';
import { useMay } from '../access/may';
import type { EvidenceItem } from '../api/contract';
import { EVIDENCE_WINDOW, evidencePage } from '../api/queries';
import { isRunning, ProgressLine } from '../shell/Progress';
import { Rows } from '../shell/Rows';
import { Bones, Failed, Nothing } from '../shell/States';
import { useTyped } from '../shell/typed';
import { bytes, count, counted } from '../text/number';
import { Name, Value } from '../text/Value';
import styles from './case.module.css';
import { EvidenceSide, State } from './EvidenceSide';
import { chosen, listing } from './folder';
import { HowToRead } from './HowToRead';
import { ProgressContext } from './progress';
import { type Reading, send, sendFolder, useSending } from './sending';
import { UploadLines } from './uploads';

const STATES = ['queued', 'parsing', 'parsed', 'not parsed', 'failed', 'archive'];

export function Evidence() {
  const { case: name } = useParams({ from: '/inside/cases/$case' });
  const search = useSearch({ from: '/inside/cases/$case/evidence' });
  const navigate = useNavigate({ from: '/cases/$case/evidence' });
  const put = useCallback(
    (q: string | undefined) => void navigate({ search: (now) => ({ ...now, q }), replace: true }),
    [navigate],
  );
  const { typed, setTyped, text } = useTyped(search.q ?? '', put);
  const picker = useRef<HTMLInputElement>(null);
  const folderPicker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [reading, setReading] = useState<Reading>({});
  const sending = useSending(name);
  const adding = useMay('acquire', name);
  const running = use(ProgressContext).filter(isRunning);
  const list = useInfiniteQuery({
    queryKey: ['evidence', name, search.state ?? '', text],
    queryFn: ({ pageParam, signal }) =>
      evidencePage(name, search.state ?? '', text, pageParam, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const have = pages.reduce((sum, page) => sum + page.evidence.length, 0);
      return last.evidence.length === EVIDENCE_WINDOW && have < last.total ? have : undefined;
    },
    placeholderData: (kept) => kept,
  });

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (!adding.may) return;
    const files: File[] = [];
    for (const item of event.dataTransfer.items) {
      const entry = item.webkitGetAsEntry();
      const file = item.getAsFile();
      if (entry?.isDirectory) {
        void listing(entry).then((held) => sendFolder(name, entry.name, held, reading));
      } else if (file) files.push(file);
    }
    send(name, files, reading);
  };
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    send(name, event.currentTarget.files ?? [], reading);
    event.currentTarget.value = '';
  };
  const chooseFolder = (event: ChangeEvent<HTMLInputElement>) => {
    const members = chosen(event.currentTarget.files ?? []);
    const folder = members[0]?.path.split('/')[0] ?? 'The folder';
    sendFolder(name, folder, { members, unread: [] }, reading);
    event.currentTarget.value = '';
  };
  const items = list.data?.pages.flatMap((page) => page.evidence) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  const nothing = list.data && total === 0 && !search.state && !text;
  const open = (id: string | undefined) =>
    void navigate({ search: (now) => ({ ...now, id }), replace: true });

  return (
    <section
      aria-label="Evidence"
      style={{
        position: 'relative',
        display: 'flex',
        flexDirection: 'column',
        flex: 1,
        minHeight: 0,
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={drop}
    >
      {over && (
        <div className={styles.drop}>{adding.may ? 'Drop to add as evidence' : adding.why}</div>
      )}
      <input ref={picker} type="file" multiple hidden onChange={choose} />
      <input
        ref={folderPicker}
        type="file"
        {...{ webkitdirectory: '' }}
        hidden
        onChange={chooseFolder}
      />
      <div className={styles.tools}>
        <TextInput
          aria-label="Find by name"
          placeholder="Find by name"
          size="xs"
          w={260}
          leftSection={<Search size={14} />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Select
          aria-label="State"
          placeholder="Any state"
          size="xs"
          w={140}
          clearable
          data={STATES}
          value={search.state ?? null}
          onChange={(state) =>
            void navigate({ search: (now) => ({ ...now, state: state ?? undefined }) })
          }
        />
        <span className="muted number">{list.data && counted(total, 'piece')}</span>
        <span className={styles.push} />
        {adding.may && <HowToRead reading={reading} change={setReading} />}
        <Gate permission="acquire" case={name}>
          <Button
            variant="default"
            leftSection={<FolderUp size={14} />}
            onClick={() => folderPicker.current?.click()}
          >
            Add a folder
          </Button>
        </Gate>
        <Gate permission="acquire" case={name}>
          <Button leftSection={<Upload size={14} />} onClick={() => picker.current?.click()}>
            Add files
          </Button>
        </Gate>
      </div>
      {(running.length > 0 || sending.length > 0) && (
        <div className={styles.work}>
          <UploadLines list={sending} />
          {running.map((each) => (
            <ProgressLine key={each.job + each.what} progress={each} />
          ))}
        </div>
      )}
      {list.isError && !list.data ? (
        <Failed error={list.error} again={() => void list.refetch()} />
      ) : nothing ? (
        <Nothing
          icon={<FileStack size={20} />}
          title="No evidence yet"
          actions={
            <>
              <Gate permission="acquire" case={name}>
                <Button onClick={() => picker.current?.click()}>Choose files</Button>
              </Gate>
              <Gate permission="acquire" case={name}>
                <Button variant="default" onClick={() => folderPicker.current?.click()}>
                  Choose a folder
                </Button>
              </Gate>
            </>
          }
        >
          <p>
            Drop files or folders here, or run <code>locard add {name} PATH…</code> where they are.
            What they are is recognised from their content; archives are opened, and every file gets
            its hashes and its line in the ledger. A folder is sent as one tar, which your browser
            writes: its files keep their paths and times. Links are left out.
          </p>
        </Nothing>
      ) : !list.data ? (
        <div style={{ padding: 16 }}>
          <Bones rows={12} height={22} />
        </div>
      ) : (
        <div className={styles.split}>
          <Rows
            label="Evidence"
            items={items}
            idOf={(item) => item.id}
            titles={TITLES}
            cells={(item) => <Cells item={item} />}
            height={40}
            grid={styles.grid}
            none={{ title: 'No evidence matches', advice: 'Clear the name or the state above.' }}
            chosen={search.id}
            open={open}
            more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
          />
          {search.id && <EvidenceSide name={name} id={search.id} close={() => open(undefined)} />}
        </div>
      )}
    </section>
  );
}

const TITLES = [
  ...['Name', 'State', 'Parser'].map((text) => ({ text })),
  ...['Size', 'Seen', 'Rows', 'Problems'].map((text) => ({ text, right: true })),
  { text: 'SHA-256' },
];

function Cells(props: { item: EvidenceItem }) {
  const { item } = props;
  const path = item.member || item.name;
  const cut = path.lastIndexOf('/') + 1;
  return (
    <>
      <span className={styles.name} role="gridcell" tabIndex={-1}>
        <Name text={path.slice(cut)} />
        <small className="clip">
          {item.reason ? (
            <Value text={item.reason} limit={200} />
          ) : (
            <Value
              text={(item.member ? `inside ${item.name} / ` : '') + path.slice(0, cut)}
              limit={200}
            />
          )}
        </small>
      </span>
      <span role="gridcell" tabIndex={-1}>
        <State state={item.state} />
      </span>
      <span className="clip muted" role="gridcell" tabIndex={-1}>
        {item.parser || item.kind || '—'}
      </span>
      <span className={`number muted ${styles.right}`} role="gridcell" tabIndex={-1}>
        {bytes(item.size)}
      </span>
      {[item.seen, item.rows].map((value, at) => (
        <span key={at} className={`number ${styles.right}`} role="gridcell" tabIndex={-1}>
          {count(value)}
        </span>
      ))}
      <span
        className={`number ${styles.right}`}
        role="gridcell"
        tabIndex={-1}
        style={item.problems > 0 ? { color: 'var(--warn)' } : undefined}
      >
        {count(item.problems)}
      </span>
      <span className="mono faint clip" role="gridcell" tabIndex={-1} title={item.sha256}>
        {item.sha256.slice(0, 20)}…
      </span>
    </>
  );
}
