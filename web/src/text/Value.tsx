// SPDX-License-Identifier: Apache-2.0
import { memo } from 'react';
import { visible } from './visible';

/** A value out of evidence, as text and nothing but text. */
export const Value = memo(function Value(props: { text: string; limit?: number; lines?: boolean }) {
  const limit = props.limit ?? 400;
  const pieces = visible(props.text, limit, props.lines);
  const clipped = props.text.length > limit;
  if (!clipped && pieces.length === 1 && pieces[0] && !pieces[0].hidden) {
    return <bdi>{pieces[0].text}</bdi>;
  }
  return (
    <bdi>
      {pieces.map((piece, at) =>
        piece.hidden ? (
          <span key={at} className="control-character" title="A character that hides or moves text">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
      {clipped && (
        <span className="faint"> … {(props.text.length - limit).toLocaleString('en')} more</span>
      )}
    </bdi>
  );
});

/** A name that is cut in the middle, because what tells files apart stands at the end. */
export function Name(props: { text: string; tail?: number }) {
  const tail = props.tail ?? 22;
  const cut = props.text.length > tail * 2 ? props.text.length - tail : props.text.length;
  return (
    <span className="middle" title={props.text.slice(0, 1000)}>
      <span className="clip">
        <Value text={props.text.slice(0, cut)} limit={200} />
      </span>
      {cut < props.text.length && (
        <span>
          <Value text={props.text.slice(cut)} />
        </span>
      )}
    </span>
  );
}

/** The last part of a path. */
export function leaf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}
