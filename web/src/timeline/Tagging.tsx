// SPDX-License-Identifier: Apache-2.0
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Tag } from 'lucide-react';
import { useState } from 'react';
import { tags as tagsQuery } from '../api/queries';
import { Dialog } from '../shell/Dialog';
import { counted } from '../text/number';
import { mark } from './marks';
import styles from './timeline.module.css';

/** Asks for a tag and gives it to the events; tags that the case has already are one click. */
export function Tagging(props: { name: string; ids: string[] | null; close: () => void }) {
  const { name, ids, close } = props;
  return (
    <Dialog
      opened={ids !== null}
      onClose={close}
      title={`Tag ${counted(ids?.length ?? 0, 'event')}`}
      size={420}
    >
      {ids && <Form name={name} ids={ids} close={close} />}
    </Dialog>
  );
}

function Form(props: { name: string; ids: string[]; close: () => void }) {
  const { name, ids, close } = props;
  const [text, setText] = useState('');
  const known = useQuery(tagsQuery(name));
  const give = (tag: string) => {
    if (!tag.trim()) return;
    close();
    void mark(name, { ids, add_tags: [tag.trim()] });
  };
  const low = text.trim().toLowerCase();
  const fitting = (known.data ?? []).filter((each) => each.tag.toLowerCase().includes(low));
  return (
    <>
      <form
        style={{ display: 'flex', gap: 8 }}
        onSubmit={(event) => {
          event.preventDefault();
          give(text);
        }}
      >
        <TextInput
          data-autofocus
          style={{ flex: 1 }}
          aria-label="Tag"
          placeholder="lateral-movement"
          leftSection={<Tag size={14} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" size="sm" disabled={!text.trim()}>
          Tag
        </Button>
      </form>
      <div className={styles.knownTags}>
        {fitting.slice(0, 20).map((each) => (
          <button type="button" key={each.tag} onClick={() => give(each.tag)}>
            {each.tag} <span className="faint number">{each.count}</span>
          </button>
        ))}
      </div>
    </>
  );
}
