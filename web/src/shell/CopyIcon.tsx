// SPDX-License-Identifier: Apache-2.0
import { ActionIcon, CopyButton } from '@mantine/core';
import { CircleCheck, Copy } from 'lucide-react';

/** Puts a value into the clipboard, and says that it did; `what` it is stands in its name. */
export function CopyIcon(props: { value: string; what: string }) {
  return (
    <CopyButton value={props.value}>
      {({ copied, copy }) => (
        <ActionIcon
          size={18}
          variant="subtle"
          color="gray"
          aria-label={`Copy ${props.what}`}
          title={copied ? 'Copied' : 'Copy'}
          onClick={copy}
        >
          {copied ? <CircleCheck size={12} /> : <Copy size={12} />}
        </ActionIcon>
      )}
    </CopyButton>
  );
}
