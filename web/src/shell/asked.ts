// SPDX-License-Identifier: Apache-2.0
// Whether a dialog or a menu was open when a key went down. It has to be looked at before anything
// else sees the key: the Escape that closes a dialog would be taken for one that came after it.

let open = false;

window.addEventListener(
  'keydown',
  () => {
    open = document.querySelector('[role="dialog"],[role="menu"]') !== null;
  },
  { capture: true },
);

/** Whether a key press belongs to a field that is being typed in. */
export function typing(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Whether a key press belongs to a field, a dialog or a menu, so that it is no key of the page. */
export function taken(event: KeyboardEvent): boolean {
  return open || typing(event);
}
