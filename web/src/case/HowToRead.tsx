// SPDX-License-Identifier: Apache-2.0
import { Button, Popover, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { SlidersHorizontal } from 'lucide-react';
import { useState } from 'react';
import { mappings as mappingsQuery, parsers as parsersQuery } from '../api/queries';
import { ZONES } from '../text/time';
import { Value } from '../text/Value';
import type { Reading } from './sending';

const NOT_FOR_FOLDERS = 'The files of a folder are each recognised.';

/** How the evidence that is added next is to be read; what is chosen stands on the button. */
export function HowToRead(props: { reading: Reading; change: (reading: Reading) => void }) {
  const { reading } = props;
  const [open, setOpen] = useState(false);
  const parsers = useQuery({ ...parsersQuery(), enabled: open }).data ?? [];
  const mappings = useQuery({ ...mappingsQuery(), enabled: open }).data ?? [];
  const set = (what: Reading) => props.change({ ...reading, ...what });
  const said = [
    reading.as && `as ${reading.as}`,
    reading.zone && `in ${reading.zone}`,
    reading.host && `of ${reading.host}`,
    reading.mapping && `by ${reading.mapping}`,
  ].filter(Boolean);
  return (
    <Popover
      width={320}
      position="bottom-end"
      shadow="md"
      trapFocus
      opened={open}
      onChange={setOpen}
    >
      <Popover.Target>
        <Button
          variant={said.length > 0 ? 'light' : 'default'}
          leftSection={<SlidersHorizontal size={14} />}
          onClick={() => setOpen(!open)}
        >
          <span style={{ whiteSpace: 'pre' }}>
            Read <Value text={said.join(', ') || 'as recognised'} limit={60} />
          </span>
        </Button>
      </Popover.Target>
      <Popover.Dropdown style={{ display: 'grid', gap: 10 }}>
        <span className="muted">For what is added from now on, until this page is left.</span>
        <Select
          size="xs"
          label="Kind"
          description={NOT_FOR_FOLDERS}
          placeholder="Recognised from its content"
          data={parsers.map((one) => ({ value: one.id, label: `${one.id} · ${one.title}` }))}
          value={reading.as ?? null}
          searchable
          openOnFocus={false}
          clearable
          comboboxProps={{ withinPortal: false }}
          onChange={(as) => set({ as: as ?? undefined })}
        />
        <Select
          size="xs"
          label="Zone of times that name none"
          placeholder="As its machine says, else UTC"
          data={ZONES}
          value={reading.zone ?? null}
          searchable
          openOnFocus={false}
          clearable
          limit={80}
          comboboxProps={{ withinPortal: false }}
          onChange={(zone) => set({ zone: zone ?? undefined })}
        />
        <TextInput
          size="xs"
          label="Host that it is of"
          placeholder="As its files say"
          maxLength={255}
          value={reading.host ?? ''}
          onChange={(event) => set({ host: event.currentTarget.value || undefined })}
        />
        {(mappings.length > 0 || reading.mapping) && (
          <Select
            size="xs"
            label="Saved mapping"
            placeholder="None"
            data={mappings.map((one) => one.name)}
            value={reading.mapping ?? null}
            clearable
            comboboxProps={{ withinPortal: false }}
            onChange={(mapping) => set({ mapping: mapping ?? undefined })}
          />
        )}
        <span>
          <Button variant="default" disabled={said.length === 0} onClick={() => props.change({})}>
            As recognised
          </Button>
        </span>
      </Popover.Dropdown>
    </Popover>
  );
}
