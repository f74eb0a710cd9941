// SPDX-License-Identifier: Apache-2.0

/** Regions as somebody types them: with blanks or commas between them. */
export function listed(typed: string): string[] {
  return typed.split(/[\s,]+/).filter(Boolean);
}
