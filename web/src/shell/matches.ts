// SPDX-License-Identifier: Apache-2.0
/** Whether every word of `text` begins somewhere in `title`. */
export function matches(title: string, text: string): boolean {
  const low = title.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => low.includes(word));
}
