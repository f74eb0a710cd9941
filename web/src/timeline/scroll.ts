// SPDX-License-Identifier: Apache-2.0
// Browsers cap the height of an element (Chromium at 33,554,428 px), which is 1.4 million rows of
// 24 px. Above `TALLEST` the scrollbar is a map of the rows and the wheel moves by real pixels.

export const TALLEST = 12_000_000;

export interface Track {
  rows: number;
  rowHeight: number;
  /** Visible height in pixels. */
  view: number;
}

export function fullHeight(track: Track): number {
  return track.rows * track.rowHeight;
}

/** Height of the element that is scrolled. */
export function trackHeight(track: Track): number {
  return Math.min(fullHeight(track), TALLEST);
}

export function isMapped(track: Track): boolean {
  return fullHeight(track) > TALLEST;
}

/** The furthest that the top of the view can go, in row pixels. */
export function furthest(track: Track): number {
  return Math.max(0, fullHeight(track) - track.view);
}

export function clampTop(top: number, track: Track): number {
  return Math.min(Math.max(0, top), furthest(track));
}

/** Row pixel at the top of the view for a position of the scrollbar. */
export function topOf(scrollTop: number, track: Track): number {
  if (!isMapped(track)) return clampTop(scrollTop, track);
  const way = trackHeight(track) - track.view;
  return clampTop((scrollTop / way) * furthest(track), track);
}

/** Position of the scrollbar for a row pixel at the top of the view. */
export function scrollOf(top: number, track: Track): number {
  if (!isMapped(track)) return top;
  const way = trackHeight(track) - track.view;
  return Math.round((top / furthest(track)) * way);
}

/** First and last row (exclusive) that are seen, with a few more on either side. */
export function shown(top: number, track: Track, beyond = 8): { first: number; last: number } {
  const first = Math.max(0, Math.floor(top / track.rowHeight) - beyond);
  const last = Math.min(track.rows, Math.ceil((top + track.view) / track.rowHeight) + beyond);
  return { first, last: Math.max(first, last) };
}

/** The top that brings a row into view with the least movement. */
export function revealing(row: number, top: number, track: Track): number {
  const start = row * track.rowHeight;
  const end = start + track.rowHeight;
  if (start < top) return clampTop(start, track);
  if (end > top + track.view) return clampTop(end - track.view, track);
  return top;
}
