// SPDX-License-Identifier: Apache-2.0
/** How many colours for sources the tokens hold; the last one is for everything else. */
export const SOURCE_COLOURS = 9;

const KNOWN: Record<string, number> = {
  'aws.cloudtrail': 1,
  'aws.cloudtrail_digest': 7,
  'aws.vpcflow': 3,
  'disk.filesystem': 6,
  'linux.auth': 5,
  'linux.journal': 2,
  'linux.packages': 2,
  'linux.shell_history': 4,
  'linux.syslog': 0,
  'linux.utmp': 5,
  'linux.cron': 7,
};

/** Which colour a source has: the same one on every page and every day, whatever else is shown. */
export function sourceIndex(source: string): number {
  const known = KNOWN[source];
  if (known !== undefined) return known;
  let hash = 2166136261;
  for (let at = 0; at < source.length; at += 1) {
    hash = Math.imul(hash ^ source.charCodeAt(at), 16777619);
  }
  return (hash >>> 0) % (SOURCE_COLOURS - 1);
}

export function sourceColour(source: string): string {
  return `var(--source-${source ? sourceIndex(source) : SOURCE_COLOURS - 1})`;
}

/** The colour as the browser computed it, for drawing on a canvas. */
export function drawnColour(token: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(token).trim() || '#888888';
}
