// SPDX-License-Identifier: Apache-2.0
import { Button, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '../access/may';
import { address, ask, Failure } from '../api/client';
import { client, comments as commentsQuery, session } from '../api/queries';
import { short } from '../text/time';
import { Value } from '../text/Value';
import { usePreferences } from '../theme/preferences';
import styles from './drawer.module.css';

/** Why a comment is still in the field. */
function unkept(error: unknown): string {
  const { detail = '', advice = '' } = error instanceof Failure ? error.problem : {};
  return ['It was not kept.', detail, advice || (detail ? '' : 'Try again.')]
    .filter(Boolean)
    .join(' ');
}

/** What each person began stays while the drawer shows another event. */
const drafts = new Map<string, string>();

export function Comments(props: { name: string; id: string }) {
  const { name, id } = props;
  const { zone } = usePreferences();
  const me = useQuery(session()).data?.username;
  const draft = `${me} ${id}`;
  const [text, write] = useState(() => drafts.get(draft) ?? '');
  const setText = (next: string) => {
    drafts.set(draft, next);
    write(next);
  };
  const found = useQuery(commentsQuery(name, id));
  const leave = useMay('mark', name);
  const changed = () => {
    void client.invalidateQueries({ queryKey: ['comments', name, id] });
    void client.invalidateQueries({ queryKey: ['events', name] });
  };
  const say = useMutation({
    mutationFn: (said: string) =>
      ask('POST', address(['cases', name, 'events', id, 'comments']), { body: { text: said } }),
    onSuccess: changed,
    // It comes back into the field, before what was typed since.
    onError: (_error, said) => setText([said, drafts.get(draft)].filter(Boolean).join('\n')),
  });
  // The field is empty at once, so that nothing is said twice and what is typed next stays.
  const send = () => {
    const said = (drafts.get(draft) ?? '').trim();
    if (!said) return;
    setText('');
    say.mutate(said);
  };
  const remove = useMutation({
    mutationFn: (n: number) => ask('DELETE', address(['cases', name, 'events', id, 'comments', n])),
    onSuccess: changed,
  });
  return (
    <section>
      <h3 className={styles.title}>Comments</h3>
      {(found.data ?? []).map((comment) => (
        <div key={comment.n} className={styles.comment}>
          <div className="faint">
            <strong>{comment.author}</strong> · {short(comment.time, zone)} {zone}
            {leave.may && (comment.own ?? comment.author === me) && (
              <button
                type="button"
                className={styles.remove}
                aria-label="Remove the comment"
                onClick={() => remove.mutate(comment.n)}
              >
                <Trash2 size={12} />
              </button>
            )}
          </div>
          <Value text={comment.text} limit={10_000} lines />
        </div>
      ))}
      {leave.may ? (
        <form
          className={styles.say}
          onSubmit={(event) => {
            event.preventDefault();
            send();
          }}
        >
          <Textarea
            aria-label="Comment"
            placeholder="What does this mean for the case?"
            autosize
            minRows={1}
            maxRows={8}
            value={text}
            error={say.isError ? unkept(say.error) : undefined}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) send();
              if (event.key === 'Escape') event.currentTarget.blur();
            }}
          />
          <Button type="submit" variant="default" loading={say.isPending} disabled={!text.trim()}>
            Comment
          </Button>
        </form>
      ) : (
        <p className="faint">{leave.why}</p>
      )}
    </section>
  );
}
