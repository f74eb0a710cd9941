// SPDX-License-Identifier: Apache-2.0
// The buttons beside the query: range, columns, saved searches, export.
import { Button, Checkbox, Menu, Popover, Select, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { Bookmark, CalendarRange, Columns3, Download, Trash2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Gate } from '../access/Gate';
import { useMay } from '../access/may';
import { address, ask, Failure } from '../api/client';
import type { SavedSearch } from '../api/contract';
import { client, fields as fieldsQuery, searches as searchesQuery } from '../api/queries';
import { count } from '../text/number';
import { told, typed, ZONES } from '../text/time';
import { Value } from '../text/Value';
import { choose, DEFAULT_COLUMNS, usePreferences } from '../theme/preferences';
import { readAddress } from './address';
import { encodeFilter } from './language';
import { columnsChange, type Searching } from './search';
import styles from './timeline.module.css';

export function Tools(props: { searching: Searching; total: number }) {
  return (
    <>
      <Range searching={props.searching} />
      <Columns searching={props.searching} />
      <Saved searching={props.searching} />
      <Export searching={props.searching} total={props.total} />
    </>
  );
}

function Range(props: { searching: Searching }) {
  const { address: now, change, look } = props.searching;
  const { zone } = usePreferences();
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  useEffect(() => {
    if (!open) return;
    const plain = (iso?: string) => (iso ? told(iso, zone).replace(/ \S+$/, '') : '');
    setFrom(plain(now.from));
    setTo(plain(now.to));
  }, [open, now.from, now.to, zone]);
  const start = from.trim() ? typed(from, zone) : undefined;
  const end = to.trim() ? typed(to, zone, true) : undefined;
  const wrong = start === null || end === null;
  const backwards = Boolean(start && end && start > end);
  const hint = 'Write it as 2026-05-11 14:30:00';
  return (
    <Popover
      opened={open}
      onChange={setOpen}
      width={300}
      position="bottom-end"
      shadow="md"
      trapFocus
    >
      <Popover.Target>
        <Button
          variant="default"
          leftSection={<CalendarRange size={14} />}
          onClick={() => setOpen(!open)}
        >
          Time ({zone})
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          style={{ display: 'grid', gap: 10 }}
          onSubmit={(event) => {
            event.preventDefault();
            if (wrong || backwards) return;
            change({ from: start ?? undefined, to: end ?? undefined });
            setOpen(false);
          }}
        >
          <TextInput
            size="xs"
            label={`From (${zone})`}
            placeholder="2026-05-11 14:30:00"
            value={from}
            error={start === null && hint}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          <TextInput
            size="xs"
            label={`To, included (${zone})`}
            placeholder="2026-05-12"
            value={to}
            error={end === null ? hint : backwards && 'This is before the start'}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          <div style={{ display: 'flex', gap: 8 }}>
            <Button type="submit" disabled={wrong || backwards}>
              Use
            </Button>
            <Button
              variant="default"
              onClick={() => {
                change({ from: undefined, to: undefined });
                setOpen(false);
              }}
            >
              Whole span
            </Button>
          </div>
          <span className="faint">Dragging over the histogram does the same.</span>
          <Select
            size="xs"
            label="Times are read and shown in"
            data={ZONES}
            value={zone}
            searchable
            allowDeselect={false}
            maxDropdownHeight={220}
            comboboxProps={{ withinPortal: false }}
            onChange={(chosen) => {
              if (!chosen) return;
              choose({ zone: chosen });
              look({ zone: chosen === 'UTC' ? undefined : chosen });
            }}
          />
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

function Columns(props: { searching: Searching }) {
  const { columns, look } = props.searching;
  const known = useQuery(fieldsQuery());
  const [text, setText] = useState('');
  const names = [
    ...columns,
    ...(known.data ?? [])
      .filter((field) => !['raw', 'attributes', 'case'].includes(field.name))
      .map((field) => field.name)
      .filter((name) => !columns.includes(name)),
  ];
  const set = (next: string[]) => {
    if (next.length === 0) return;
    choose({ columns: next });
    look(columnsChange(next));
  };
  return (
    <Popover width={240} position="bottom-end" shadow="md">
      <Popover.Target>
        <Button variant="default" leftSection={<Columns3 size={14} />}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={8}>
        <TextInput
          size="xs"
          placeholder="Find a column"
          aria-label="Find a column"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <div className={styles.menuList}>
          {names
            .filter((name) => name.includes(text.trim().toLowerCase()))
            .map((name) => (
              <Checkbox
                key={name}
                size="xs"
                label={name}
                title={known.data?.find((field) => field.name === name)?.title}
                checked={columns.includes(name)}
                onChange={() =>
                  set(
                    columns.includes(name)
                      ? columns.filter((each) => each !== name)
                      : columns.at(-1) === 'message'
                        ? [...columns.slice(0, -1), name, 'message']
                        : [...columns, name],
                  )
                }
              />
            ))}
        </div>
        <Button
          variant="subtle"
          size="compact-xs"
          onClick={() => {
            choose({ widths: {} });
            set(DEFAULT_COLUMNS);
          }}
        >
          Back to the usual ones
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}

function Saved(props: { searching: Searching }) {
  const { name, address: now, columns, filters, asked, change } = props.searching;
  const found = useQuery(searchesQuery(name));
  const [title, setTitle] = useState('');
  const { may } = useMay('mark', name);
  const where = (...more: (string | number)[]) => address(['cases', name, 'searches', ...more]);
  const refresh = () => client.invalidateQueries({ queryKey: ['searches', name] });
  const complain = (error: unknown) =>
    notifications.show({
      color: 'red',
      message: error instanceof Failure ? error.message : String(error),
    });
  const saving = useRef(false);
  const save = () => {
    if (saving.current) return;
    saving.current = true;
    const chips = filters.map(encodeFilter);
    const fits = chips.every((chip) => chip.length <= 64);
    const body = {
      name: title.trim(),
      q: fits ? (now.q ?? '') : asked.q,
      from: now.from ?? '',
      to: now.to ?? '',
      columns,
      facets: fits ? chips : [],
    };
    ask('POST', where(), { body })
      .then(() => {
        setTitle('');
        void refresh();
        notifications.show({ message: `Saved as ${body.name}.` });
      }, complain)
      .finally(() => {
        saving.current = false;
      });
  };
  const use = (one: SavedSearch) =>
    change({
      ...readAddress({ q: one.q, from: one.from, to: one.to, f: one.facets }),
      columns: one.columns.length > 0 ? one.columns : undefined,
    });
  return (
    <Popover width={300} position="bottom-end" shadow="md">
      <Popover.Target>
        <Button variant="default" leftSection={<Bookmark size={14} />}>
          Saved
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={8}>
        <form
          style={{ display: 'flex', gap: 6, marginBottom: 6 }}
          onSubmit={(event) => {
            event.preventDefault();
            if (title.trim() && may) save();
          }}
        >
          <TextInput
            size="xs"
            style={{ flex: 1 }}
            placeholder="Name of this search"
            aria-label="Name of this search"
            value={title}
            onChange={(event) => setTitle(event.currentTarget.value)}
          />
          <Gate permission="mark" case={name}>
            <Button type="submit" disabled={!title.trim()}>
              Save
            </Button>
          </Gate>
        </form>
        <div className={styles.menuList}>
          {found.data?.length === 0 && (
            <span className="faint">Nothing is saved in this case yet.</span>
          )}
          {(found.data ?? []).map((one) => (
            <div key={one.n} className={styles.savedLine}>
              <button type="button" onClick={() => use(one)} title={one.q || 'everything'}>
                <Value text={one.name} limit={80} />
                <span className="faint mono clip">
                  <Value
                    text={[one.q, ...one.facets].filter(Boolean).join(' ') || 'everything'}
                    limit={80}
                  />
                </span>
              </button>
              {may && (
                <button
                  type="button"
                  aria-label={`Delete ${one.name}`}
                  onClick={() => ask('DELETE', where(one.n)).then(() => void refresh(), complain)}
                >
                  <Trash2 size={13} />
                </button>
              )}
            </div>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

function Export(props: { searching: Searching; total: number }) {
  const { name, asked, columns } = props.searching;
  const { may } = useMay('export', name);
  const button = (
    <Button variant="default" leftSection={<Download size={14} />}>
      Export
    </Button>
  );
  const where = (format: string, some?: string[]) =>
    address(['cases', name, 'events', 'export'], { ...asked, format, columns: some?.join(',') });
  return (
    <Menu disabled={!may}>
      <Menu.Target>
        {may ? (
          button
        ) : (
          <span style={{ display: 'inline-flex' }}>
            <Gate permission="export" case={name}>
              {button}
            </Gate>
          </span>
        )}
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>All {count(props.total)} events that match</Menu.Label>
        <Menu.Item component="a" href={where('csv', columns)} download>
          CSV, columns as shown
        </Menu.Item>
        <Menu.Item component="a" href={where('csv')} download>
          CSV, all columns
        </Menu.Item>
        <Menu.Item component="a" href={where('jsonl')} download>
          JSON lines
        </Menu.Item>
        <Menu.Item component="a" href={where('parquet')} download>
          Parquet
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
