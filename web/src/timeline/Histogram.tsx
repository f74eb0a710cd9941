// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Histogram as Answer } from '../api/contract';
import { type Asked, histogram } from '../api/queries';
import { count } from '../text/number';
import { isoOf, millis, short, span } from '../text/time';
import { drawnColour, sourceColour, sourceIndex } from '../theme/colours';
import { usePreferences, useScheme } from '../theme/preferences';
import { type Stack, stacked } from './stack';
import styles from './timeline.module.css';

const HEIGHT = 96;

interface Hover {
  left: number;
  index: number;
}

/** Events over time, stacked by source. Dragging narrows the range, a click takes one bar. */
export function Histogram(props: {
  name: string;
  asked: Asked;
  /** Whether few events far away in time have bars too. */
  outliers: boolean;
  narrow: (from: string, to: string) => void;
  ready: (answer: Answer | null) => void;
}) {
  const { name, asked, outliers, narrow, ready } = props;
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const plot = useRef<uPlot | null>(null);
  const drawn = useRef<unknown[]>([]);
  /** While somebody drags, the bars stay: drawn anew they would slip out of the hand. */
  const [held, setHeld] = useState(false);
  const [hover, setHover] = useState<Hover | null>(null);
  const { zone } = usePreferences();
  const scheme = useScheme();
  const buckets = width > 1500 ? 240 : 120;
  const found = useQuery({ ...histogram(name, asked, buckets, outliers), enabled: width > 0 });
  const stack = useMemo(() => (found.data ? stacked(found.data) : null), [found.data]);

  useEffect(() => {
    ready(found.data ?? null);
  }, [found.data, ready]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const element = box.current;
    const wanted = [stack, width, zone, scheme, narrow];
    const same = wanted.every((each, at) => each === drawn.current[at]);
    if (!element || held || same) return;
    drawn.current = wanted;
    plot.current?.destroy();
    plot.current = null;
    if (!stack || width === 0 || stack.starts.length === 0) return;
    plot.current = draw(element, width, stack, zone, setHover, (from, to) =>
      narrow(isoOf(Math.floor(from)), isoOf(Math.ceil(to) - 1)),
    );
  }, [stack, width, zone, scheme, narrow, held]);

  useEffect(
    () => () => {
      plot.current?.destroy();
      drawn.current = [];
    },
    [],
  );

  useEffect(() => {
    if (!held) return;
    const release = () => setHeld(false);
    window.addEventListener('mouseup', release);
    return () => window.removeEventListener('mouseup', release);
  }, [held]);

  const nothing = stack && stack.starts.length === 0;
  return (
    <div className={styles.histogram} data-stale={found.isPlaceholderData || undefined}>
      <div
        ref={box}
        style={{ height: HEIGHT }}
        role="img"
        aria-label={describe(stack, zone)}
        onMouseDown={() => setHeld(true)}
      />
      {found.isError && !found.data && <div className={styles.histogramNote}>No histogram</div>}
      {nothing && <div className={styles.histogramNote}>No event with a time</div>}
      {hover && stack && <Tip stack={stack} hover={hover} width={width} zone={zone} />}
    </div>
  );
}

function describe(stack: Stack | null, zone: string): string {
  if (!stack || stack.starts.length === 0) return 'Histogram of events over time';
  const first = isoOf((stack.starts[0] ?? 0) as number);
  const last = isoOf((stack.starts[stack.starts.length - 1] ?? 0) as number);
  return `Events over time from ${short(first, zone)} to ${short(last, zone)} ${zone}, by source: ${stack.names.join(', ')}`;
}

function draw(
  element: HTMLElement,
  width: number,
  stack: Stack,
  zone: string,
  hover: (at: Hover | null) => void,
  narrow: (from: number, to: number) => void,
): uPlot {
  const line = drawnColour('--line');
  const faint = drawnColour('--faint');
  const bars = uPlot.paths.bars?.({ size: [0.86, 64], align: 1, radius: 0 });
  let pressed = 0;
  const options: uPlot.Options = {
    width,
    height: HEIGHT,
    padding: [6, 36, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone === 'UTC' ? 'Etc/UTC' : zone),
    legend: { show: false },
    scales: {
      x: {
        time: true,
        range: () => [
          (stack.starts[0] ?? 0) / 1000,
          ((stack.starts[stack.starts.length - 1] ?? 0) + stack.width) / 1000,
        ],
      },
      y: { range: (_plot, _low, high) => [0, Math.max(1, high)] },
    },
    axes: [
      {
        stroke: faint,
        grid: { show: false },
        ticks: { stroke: line, size: 4 },
        font: '11px "Inter Variable", sans-serif',
        size: 24,
        gap: 3,
        space: 90,
        values: AXIS,
      },
      {
        stroke: faint,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        font: '11px "Inter Variable", sans-serif',
        size: 46,
        gap: 6,
        space: 28,
        incrs: [
          1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6,
          5e6, 1e7,
        ],
        values: (_plot, splits) => splits.map((value) => COMPACT.format(value)),
      },
    ],
    cursor: {
      y: false,
      x: true,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: { dblclick: () => null },
    },
    series: [
      {},
      ...stack.names.map(
        (name): uPlot.Series => ({
          label: name,
          fill: drawnColour(name === 'other' ? '--source-8' : `--source-${sourceIndex(name)}`),
          width: 0,
          paths: bars,
          points: { show: false },
        }),
      ),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx;
          const left = plot.cursor.left ?? -1;
          if (index === null || index === undefined || left < 0) return hover(null);
          const exact = plot.posToVal(left, 'x') * 1000;
          const at = Math.floor((exact - (stack.starts[0] ?? 0)) / stack.width);
          hover({ left: left + 46, index: Math.min(Math.max(at, 0), stack.starts.length - 1) });
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          if (wide < 4) return;
          narrow(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + wide, 'x') * 1000);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      ready: [
        (plot) => {
          plot.over.addEventListener('mousedown', (event) => {
            pressed = event.clientX;
          });
          plot.over.addEventListener('click', (event) => {
            if (Math.abs(event.clientX - pressed) > 3) return;
            const exact = plot.posToVal(event.offsetX, 'x') * 1000;
            const at = Math.floor((exact - (stack.starts[0] ?? 0)) / stack.width);
            const start = stack.starts[at];
            if (start !== undefined && stack.width > 1) narrow(start, start + stack.width);
          });
          plot.over.style.cursor = 'crosshair';
        },
      ],
    },
  };
  const data = [stack.starts.map((start) => start / 1000), ...stack.sums] as uPlot.AlignedData;
  return new uPlot(options, data, element);
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

// Year, month and day are named where they change; hours are 0 to 23.
const AXIS: (string | number | null)[][] = [
  [3600 * 24 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [3600 * 24 * 28, '{YYYY}-{MM}', null, null, null, null, null, null, 1],
  [3600 * 24, '{YYYY}-{MM}-{DD}', null, null, null, null, null, null, 1],
  [60, '{HH}:{mm}', ' {MM}-{DD}', null, ' {MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', ' {MM}-{DD}', null, ' {MM}-{DD}', null, null, null, 1],
  [0.001, '{ss}.{fff}', ' {HH}:{mm}', null, ' {HH}:{mm}', null, ' {HH}:{mm}', null, 1],
];

function Tip(props: { stack: Stack; hover: Hover; width: number; zone: string }) {
  const { stack, hover, width, zone } = props;
  const start = stack.starts[hover.index];
  if (start === undefined) return null;
  const parts = stack.names
    .map((name, at) => ({ name, value: stack.values[at]?.[hover.index] ?? 0 }))
    .filter((part) => part.value > 0)
    .sort((a, b) => b.value - a.value);
  const right = hover.left > width - 260;
  return (
    <div
      className={styles.tip}
      style={right ? { right: width - hover.left + 12 } : { left: hover.left + 12 }}
    >
      <div className="mono">
        {short(isoOf(start), zone)} {zone} <span className="faint">+ {span(stack.width)}</span>
      </div>
      {parts.length === 0 && <div className="faint">no events</div>}
      {parts.map((part) => (
        <div key={part.name} className={styles.tipLine}>
          <i
            style={{
              background: part.name === 'other' ? 'var(--source-8)' : sourceColour(part.name),
            }}
          />
          <span className="clip">{part.name}</span>
          <span className="number">{count(part.value)}</span>
        </div>
      ))}
    </div>
  );
}

export function rangeOf(answer: Answer | null): { from: number; to: number } | null {
  if (!answer?.start || answer.buckets.length === 0) return null;
  const from = millis(answer.start);
  return { from, to: from + answer.width_ms * answer.buckets.length };
}
