// SPDX-License-Identifier: Apache-2.0
import { Modal, type ModalProps } from '@mantine/core';
import { useLayoutEffect, useRef } from 'react';

/**
 * A dialog that has the focus in the moment it opens, in what is marked `data-autofocus`: what is
 * typed right after the key that opened it belongs to it, and never to the page behind.
 */
export function Dialog(props: ModalProps) {
  const { opened } = props;
  const content = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!opened) return;
    const before = document.activeElement;
    content.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      // After the dialog is gone, unless something else has taken the focus by then.
      queueMicrotask(() => {
        const now = document.activeElement;
        const free = !now || now === document.body || !now.isConnected;
        if (free && before instanceof HTMLElement) before.focus({ preventScroll: true });
      });
    };
  }, [opened]);
  return (
    <Modal
      returnFocus={false}
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ 'aria-label': 'Close' }}
      {...props}
    >
      <div ref={content}>{props.children}</div>
    </Modal>
  );
}
