// SPDX-License-Identifier: Apache-2.0
import { Tooltip } from '@mantine/core';
import { cloneElement, type ReactElement } from 'react';
import type { Permission } from '../api/contract';
import { useMay } from './may';

/** A button, greyed out with the reason beside it for whoever may not use it. */
export function Gate(props: {
  permission: Permission;
  case?: string;
  children: ReactElement<{ disabled?: boolean }>;
}) {
  const { may, why } = useMay(props.permission, props.case);
  if (may) return props.children;
  return (
    <Tooltip label={why} multiline w={280} events={{ hover: true, focus: true, touch: true }}>
      {/* A disabled button takes no focus, so what stands around it does: the reason is for keyboards too. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it shows the reason */}
      <span tabIndex={0} role="note" aria-label={why} style={{ display: 'inline-flex' }}>
        {cloneElement(props.children, { disabled: true })}
      </span>
    </Tooltip>
  );
}
