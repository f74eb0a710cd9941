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
