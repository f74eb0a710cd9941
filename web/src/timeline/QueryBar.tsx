// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { CircleAlert, Search, X } from 'lucide-react';
import {
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { address, ask } from '../api/client';
import { fields as fieldsQuery, values as valuesQuery } from '../api/queries';
import { brief } from '../text/number';
import { Value } from '../text/Value';
import { preferences } from '../theme/preferences';
import { escaped, phrase, placed, tokens, tooLong, wanted } from './language';
import styles from './query.module.css';

export interface Mistake {
  message: string;
  position: number;
  length: number;
  suggestion: string;
}

interface Suggestion {
  text: string;
  title: string;
  note: string;
  insert: string;
}

/** A suggestion that the arrow keys have reached, and the query for which it was one. */
interface Chosen {
  text: string;
  from: number;
  suggestion: Suggestion;
}

const ATTRIBUTES = 'attributes.';

/** Fields whose values the server does not list: too many, or no column of the events. */
const UNLISTED = new Set(['raw', 'message', 'time', 'id', 'starred', 'comment']);

const EXISTS = '_exists_';

const EXTRA = [
  {
    name: EXISTS,
    title: 'events in which this field has a value',
    kind: 'word',
    facet: false,
    query: true,
  },
  { name: 'tag', title: 'tag that somebody gave it', kind: 'word', facet: false, query: true },
  { name: 'starred', title: 'true for starred events', kind: 'word', facet: false, query: true },
];

function useSuggestions(name: string, text: string, caret: number, active: boolean) {
  const known = useQuery(fieldsQuery());
  const want = useMemo(() => (active ? wanted(text, caret) : null), [text, caret, active]);
  const [settled, setSettled] = useState({ field: '', prefix: '' });
  // A field is named before a colon, and behind that of `_exists_`.
  const naming = want?.kind === 'field' || want?.field === EXISTS;
  const ending = want?.kind === 'field' ? ':' : ' ';
  const named = naming && want?.prefix.startsWith(ATTRIBUTES) === true;
  const field = named ? 'attributes' : naming ? '' : (want?.field ?? '');
  const prefix = named ? want.prefix.slice(ATTRIBUTES.length) : (want?.prefix ?? '');
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled({ field, prefix }), 90);
    return () => window.clearTimeout(timer);
  }, [field, prefix]);
  const exists =
    settled.field === 'attributes' ||
    settled.field.startsWith(ATTRIBUTES) ||
    settled.field === 'tag' ||
    (known.data ?? []).some((each) => each.name === settled.field);
  const completable = exists && !UNLISTED.has(settled.field);
  const found = useQuery({
    ...valuesQuery(name, settled.field, settled.prefix),
    enabled: completable,
  });
  const list = useMemo((): Suggestion[] => {
    if (!want) return [];
    if (named) {
      if (settled.field !== 'attributes') return [];
      return (found.data ?? []).map((each) => ({
        text: ATTRIBUTES + each.value,
        title: '',
        note: brief(each.count),
        insert: `${ATTRIBUTES}${escaped(each.value)}${ending}`,
      }));
    }
    if (want.field === 'starred') {
      return ['true', 'false']
        .filter((each) => each.startsWith(want.prefix.toLowerCase()))
        .map((each) => ({ text: each, title: '', note: '', insert: `${each} ` }));
    }
    if (!naming) {
      if (settled.field !== want.field) return [];
      const low = want.prefix.toLowerCase();
      return (found.data ?? [])
        .filter((each) => each.value !== '' && each.value.toLowerCase().includes(low))
        .map((each) => ({
          text: each.value,
          title: '',
          note: brief(each.count),
          insert: `${/^[\w.:-]+$/.test(each.value) && !/[:]/.test(each.value) ? each.value : phrase(each.value)} `,
        }));
    }
    const low = want.prefix.toLowerCase();
    return [...(known.data ?? []), ...EXTRA]
      .filter((each, at, all) => all.findIndex((one) => one.name === each.name) === at)
      .filter((each) => each.name.includes(low) && (want.kind === 'field' || each.name !== EXISTS))
      .sort((a, b) => Number(b.name.startsWith(low)) - Number(a.name.startsWith(low)))
      .slice(0, want.prefix ? 10 : 14)
      .map((each) => ({
        text: each.name,
        title: each.title,
        note: '',
        insert: each.name === 'attributes' ? ATTRIBUTES : `${each.name}${ending}`,
      }));
  }, [want, named, naming, ending, found.data, known.data, settled.field]);
  return { want, list };
}

/** Asks the server whether the query is right while it is typed. */
function useMistake(text: string): Mistake | null {
  const [found, setFound] = useState<{ text: string; mistake: Mistake } | null>(null);
  useEffect(() => {
    if (!text.trim() || tooLong(text)) return;
    const overtaken = new AbortController();
    const timer = window.setTimeout(() => {
      type Answer = { ok: boolean } & Partial<Mistake>;
      ask<Answer>('POST', address(['query', 'check']), {
        body: { q: text, zone: preferences().zone },
        signal: overtaken.signal,
      }).then(
        (answer) => {
          if (answer.ok || !answer.message) return setFound(null);
          const { message, position = 0, length = 1, suggestion = '' } = answer;
          setFound({ text, mistake: { message, ...placed(text, position, length), suggestion } });
        },
        () => undefined,
      );
    }, 220);
    return () => {
      window.clearTimeout(timer);
      overtaken.abort();
    };
  }, [text]);
  return found?.text === text ? found.mistake : null;
}

export function QueryBar(props: {
  name: string;
  text: string;
  /** What the server said about the query that was searched for. */
  mistake: Mistake | null;
  input: RefObject<HTMLInputElement | null>;
  submit: (text: string) => void;
}) {
  const { input, submit } = props;
  const [text, setText] = useState(props.text);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [placed, setPlaced] = useState<{ caret: number } | null>(null);
  const [scrolled, setScrolled] = useState(0);
  const blurring = useRef(0);
  const checked = useMistake(text);
  const long = useMemo(() => {
    const found = tooLong(text.trim());
    return (
      found && { ...found, position: found.position + text.indexOf(text.trim()), suggestion: '' }
    );
  }, [text]);
  const { want, list: found } = useSuggestions(props.name, text, caret, open);
  // What was chosen stays chosen until something is typed, whatever answers come in meanwhile.
  const kept = chosen?.text === text && chosen.from === want?.from ? chosen.suggestion : null;
  const missing = kept && !found.some((each) => each.text === kept.text);
  const list = missing ? [kept, ...found] : found;
  const at = kept ? list.findIndex((each) => each.text === kept.text) : -1;
  const fromSearch = text === props.text ? props.mistake : null;
  const shown = open && list.length > 0;
  // A field whose value is just being chosen is no mistake yet.
  const begun = shown && want?.kind === 'value' && want.prefix === '';
  const mistake = long ?? fromSearch ?? (begun ? null : checked);

  // The address follows a while after what was sent; what was typed since is not taken away.
  const sent = useRef<string | null>(null);
  useEffect(() => {
    if (props.text !== sent.current) setText(props.text);
    sent.current = null;
  }, [props.text]);
  // In the same commit as the text, so that no key can come between the two.
  useLayoutEffect(() => {
    if (!placed) return;
    input.current?.focus();
    input.current?.setSelectionRange(placed.caret, placed.caret);
  }, [placed, input]);

  const place = (next: string, position: number) => {
    setText(next);
    setCaret(position);
    setPlaced({ caret: position });
  };
  const choose = (index: number) => {
    const suggestion = list[index];
    setChosen(suggestion && want ? { text, from: want.from, suggestion } : null);
  };
  const take = (suggestion: Suggestion) => {
    if (!want) return;
    const tail = text
      .slice(want.to)
      .replace(/^\s+(?=\S)/, suggestion.insert.endsWith(' ') ? '' : ' ');
    const next = text.slice(0, want.from) + suggestion.insert + tail;
    place(next, want.from + suggestion.insert.length);
    setOpen(true);
  };
  const go = (query: string) => {
    const next = query.trim();
    setOpen(false);
    if (tooLong(next)) return;
    setText(next);
    if (next !== props.text) sent.current = next;
    submit(next);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' && list.length > 0) {
      setOpen(true);
      choose(Math.min(at + 1, list.length - 1));
    } else if (event.key === 'ArrowUp' && shown) choose(at - 1);
    else if (event.key === 'Enter' || (event.key === 'Tab' && shown && at >= 0)) {
      if (shown && kept) take(kept);
      else go(text);
    } else if (event.key === 'Escape') {
      if (shown) setOpen(false);
      else input.current?.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className={styles.bar} data-wrong={mistake ? true : undefined}>
      <Search size={15} className={styles.glass} />
      <div className={styles.field}>
        <div className={styles.mirror} aria-hidden>
          <div style={{ transform: `translateX(${-scrolled}px)` }}>
            <Painted text={text} mistake={mistake} />
          </div>
        </div>
        <input
          ref={input}
          className={styles.input}
          value={text}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          placeholder="Search: words, field:value, time:[now-7d TO now], NOT, /regex/"
          aria-label="Query"
          role="combobox"
          aria-expanded={shown}
          aria-controls="query-suggestions"
          aria-activedescendant={shown && at >= 0 ? `suggestion-${at}` : undefined}
          aria-invalid={mistake ? true : undefined}
          aria-describedby={mistake ? 'query-mistake' : undefined}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setCaret(event.currentTarget.selectionStart ?? event.currentTarget.value.length);
            setOpen(true);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onScroll={(event) => setScrolled(event.currentTarget.scrollLeft)}
          onFocus={() => {
            window.clearTimeout(blurring.current);
            setOpen(true);
          }}
          onBlur={() => {
            blurring.current = window.setTimeout(() => setOpen(false), 120);
          }}
          onKeyDown={keys}
        />
      </div>
      {text ? (
        <button
          type="button"
          className={styles.clear}
          aria-label="Clear the query"
          onClick={() => go('')}
        >
          <X size={14} />
        </button>
      ) : (
        <kbd>/</kbd>
      )}
      {(shown || mistake) && (
        <div className={styles.below}>
          {mistake && (
            <div className={styles.mistake} id="query-mistake" role="alert">
              <CircleAlert size={14} />
              <span>
                <Value text={mistake.message} limit={300} />
              </span>
              {mistake.suggestion && (
                <button
                  type="button"
                  onMouseDown={(event) => {
                    event.preventDefault();
                    const end = mistake.position + mistake.length;
                    const next =
                      text.slice(0, mistake.position) + mistake.suggestion + text.slice(end);
                    place(next, mistake.position + mistake.suggestion.length);
                  }}
                >
                  Use {mistake.suggestion}
                </button>
              )}
            </div>
          )}
          {shown && (
            <div role="listbox" id="query-suggestions" aria-label="Suggestions">
              {list.map((suggestion, index) => (
                <div
                  key={suggestion.text}
                  role="option"
                  tabIndex={-1}
                  id={`suggestion-${index}`}
                  aria-selected={index === at}
                  className={styles.suggestion}
                  onMouseDown={(event) => {
                    event.preventDefault();
                    take(suggestion);
                  }}
                >
                  <span className="mono clip">
                    <Value text={suggestion.text} limit={160} />
                  </span>
                  <span className="faint clip">{suggestion.title}</span>
                  <span className="faint number">{suggestion.note}</span>
                </div>
              ))}
            </div>
          )}
        </div>
      )}
    </div>
  );
}

/** The query in colours, letter under letter behind the field that is typed in. */
function Painted(props: { text: string; mistake: Mistake | null }) {
  const { text, mistake } = props;
  const from = mistake ? Math.min(mistake.position, Math.max(0, text.length - 1)) : -1;
  const to = mistake ? Math.max(from + 1, mistake.position + mistake.length) : -1;
  return tokens(text).map((token) => {
    const end = token.start + token.text.length;
    const cuts = [token.start, from, to, end]
      .filter((cut) => cut >= token.start && cut <= end)
      .sort((a, b) => a - b);
    return cuts.slice(1).map((cut, index) => {
      const start = cuts[index] ?? 0;
      if (cut <= start) return null;
      const wrong = start >= from && start < to;
      return (
        <span key={start} data-kind={token.kind} data-wrong={wrong || undefined}>
          {text.slice(start, cut)}
        </span>
      );
    });
  });
}
