# SPDX-License-Identifier: Apache-2.0
"""Searching ten million events: p50 and p95 of many runs of what an analyst does.

Rows are made here and go in through the timeline's own `write`, in batches as parsers give them,
about 1.2 kB of raw record each. A rare word stands in one record of a million, and so does a rare
piece of a word. A run is repeated with another value each time, where there is one, so that no
cache of answers helps. Aim: every p95 under one second, the rare word and the page at depth one
million under 100 ms. Floor: the time that the store takes to answer `SELECT 1` through the same
client, which is what any question costs at least.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random

import pyarrow as pa
from make_cloudtrail import FIRST, Maker
from measuring import Report, highest, options, percentile, say, scratch, stop, store_of

from locard.model.event import COLUMNS, FACETS, Kind
from locard.parsers.rows import ARROW, SCHEMA
from locard.timeline import Search, Timeline, connect

CASE = "bench"
BATCH = 50_000
RARE_EVERY = 1_000_000
DAYS = 30.0
DEEP = 1_000_000


def batches(events: int) -> Iterator[pa.RecordBatch]:
    """The rows, cut out of the text of made records: this is not about parsing."""
    step = timedelta(days=DAYS) / events
    done = 0
    maker = Maker(min(events, 20 * BATCH))
    pattern: list[str] = [text for _, text in maker.records()]
    stamp = len('{"eventVersion":"1.11",')
    while done < events:
        size = min(BATCH, events - done)
        texts = [pattern[(done + n) % len(pattern)] for n in range(size)]
        columns = _columns(texts, done, step, stamp, min(RARE_EVERY, events))
        yield pa.RecordBatch.from_arrays([columns[c.name] for c in COLUMNS], schema=SCHEMA)
        done += size


def _columns(
    texts: list[str], first: int, step: timedelta, stamp: int, every: int
) -> dict[str, pa.Array]:
    def cut(name: str) -> list[str]:
        mark = f'"{name}":"'
        return [
            t[(a := t.find(mark) + len(mark)) : t.index('"', a)] if mark in t else "" for t in texts
        ]

    count = len(texts)
    began = int(FIRST.timestamp()) * 10**9
    width = int(step.total_seconds() * 1e9)
    numbers = range(first, first + count)
    raws = [
        f'{t[:stamp]}"serial":"n{n:010d}",{_rare(n, every)}{t[stamp:]}'.encode()
        for n, t in zip(numbers, texts, strict=True)
    ]
    who, action, error = cut("arn"), cut("eventName"), cut("errorCode")
    thing = [t[(a := t.find('"requestParameters":{"') + 22) : t.index(",", a)] for t in texts]
    known: dict[str, object] = {
        "id": [f"{n * 2654435761 % 2**32:08x}{n:024x}" for n in numbers],
        "time": pa.array([began + n * width for n in numbers], pa.int64()).cast(ARROW[Kind.TIME]),
        "time_meaning": "event", "source": "aws.cloudtrail", "source_version": "1",
        "provider": "aws", "account": "111122223333", "region": cut("awsRegion"),
        "actor": who, "actor_kind": cut("type"), "session": cut("accessKeyId"),
        "action": action, "error": error,
        "outcome": ["failure" if e else "success" for e in error],
        "resource": [x.rpartition(':"')[2].rstrip('"') for x in thing],
        "src_ip": cut("sourceIPAddress"), "domain": cut("eventSource"),
        "message": [f"{w} {a}" for w, a in zip(who, action, strict=True)],
        "raw": raws,
        "evidence": f"{first // (4 * BATCH):064x}",
        "locator": [f"Records[{n}]" for n in numbers],
    }  # fmt: skip
    return {c.name: _array(known.get(c.name), c.kind, count) for c in COLUMNS}


def _rare(number: int, every: int) -> str:
    """In one record of a million: a word that stands alone, and one to be found by its middle."""
    if number % every != every // 2:
        return ""
    return f'"note":"zanzibar{number // every} within-qXvortexplume{number // every}Zq",'


def _array(values: object, kind: Kind, count: int) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, str) or values is None:
        empty = {Kind.PORT: 0, Kind.BYTES: b"", Kind.MAP: []}.get(kind, "")
        return pa.repeat(pa.scalar(empty if values is None else values, ARROW[kind]), count)
    return pa.array(values, ARROW[kind])


def fill(timeline: Timeline, events: int, report: Report) -> None:
    """Write the rows and build the text index."""
    writing, making = 0.0, time.perf_counter()
    for number, batch in enumerate(batches(events)):
        started = time.perf_counter()
        timeline.write(CASE, batch)
        writing += time.perf_counter() - started
        if number % 20 == 19:
            say(f"  {(number + 1) * BATCH:,} rows, {(number + 1) * BATCH / writing:,.0f} rows/s")
    report.add("rows into the store", f"{events / writing:,.0f} rows/s", "aim: >= 60,000",
               write_rate=events / writing)  # fmt: skip
    say(f"  ({time.perf_counter() - making - writing:.0f} s went into making the rows)")
    started = time.perf_counter()
    timeline.index(CASE)
    seconds = time.perf_counter() - started
    report.add("text index built", f"{seconds:.1f} s", f"{events / seconds:,.0f} rows/s")


def questions(timeline: Timeline, events: int) -> list[tuple[str, float, Callable[[int], object]]]:
    """Name, aim in milliseconds, and what is done in run `n`."""
    rare = max(1, events // RARE_EVERY)
    actions = ("GetObject", "DescribeInstances", "AssumeRole", "Decrypt", "PutObject")
    regions = ("us-east-1", "eu-west-1", "us-west-2", "ap-southeast-2")

    def find(query: str, wanted: int | None = None) -> object:
        page = timeline.page(Search(CASE, query), limit=200)
        if wanted is not None and len(page.rows) != wanted:
            raise SystemExit(f"{query}: {len(page.rows)} rows instead of {wanted}")
        return page

    deep = min(DEEP, events // 2)
    cursor = timeline.page(Search(CASE), limit=1, offset=deep).next
    random = Random(7)
    first = int(FIRST.timestamp() * 10**9)

    def window() -> tuple[int, int]:
        start = first + int(random.random() * (DAYS - 8) * 86400e9)
        return start, start + int(7 * 86400e9)

    def span(n: int, action: str) -> Search:
        start, end = window()
        return Search(CASE, f"action:{action}", start=start + n, end=end)

    return [
        ("rare word", 100, lambda n: find(f"zanzibar{n % rare}", 1)),
        ("rare word, count", 100, lambda n: timeline.count(Search(CASE, f"zanzibar{n % rare}"))),
        ("rare piece of a word in raw", 1000, lambda n: find(f"raw:*vortexplume{n % rare}Z*", 1)),
        ("common word, first page", 1000, lambda n: find(actions[n % 5], 200)),
        ("common word, count", 1000, lambda n: timeline.count(Search(CASE, actions[n % 5]))),
        ("twelve facets under a filter", 1000,
         lambda n: timeline.facets(Search(CASE, f"region:{regions[n % 4]} outcome:failure"), FACETS[:12])),
        ("twelve facets of a week", 1000,
         lambda n: timeline.facets(span(n, actions[n % 5]), FACETS[:12])),
        ("histogram of everything", 1000, lambda n: timeline.histogram(Search(CASE))),
        ("histogram under a filter", 1000,
         lambda n: timeline.histogram(Search(CASE, f"action:{actions[n % 5]}"))),
        (f"page at depth {deep:,} by cursor", 100,
         lambda n: timeline.page(Search(CASE), limit=200, cursor=cursor)),
        (f"page at depth {deep:,} by offset", 1000,
         lambda n: timeline.page(Search(CASE), limit=200, offset=deep + n)),
    ]  # fmt: skip


def ask(report: Report, timeline: Timeline, events: int, runs: int) -> None:
    """Ask everything `runs` times, in turns, after one round to warm up."""
    nothing = [_timed(timeline.ping) for _ in range(50)]
    floor = percentile(nothing, 0.5)
    report.add(
        "nothing at all (the floor)",
        f"p50 {floor:.1f} ms",
        f"p95 {percentile(nothing, 0.95):.1f} ms",
    )
    for name, aim, question in questions(timeline, events):
        question(0)
        times = [_timed(question, n + 1) for n in range(runs)]
        p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
        verdict = "met" if p95 < aim else "MISSED"
        report.add(
            name, f"p50 {p50:.0f} ms, p95 {p95:.0f} ms",
            f"aim: p95 < {aim:,.0f} ms, {verdict}; p50 is {p50 / floor:.0f} x floor",
            **{name: {"p50": p50, "p95": p95, "aim": aim}},
        )  # fmt: skip


def _timed(call: Callable[..., object], *arguments: int) -> float:
    started = time.perf_counter()
    call(*arguments)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """The command line."""
    parser = options(__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=40, help="runs of each question")
    parser.add_argument(
        "--reuse", action="store_true", help="with --folder: rows are there already"
    )
    given = parser.parse_args()
    report = Report(f"Searching {given.events:,} events, {given.runs} runs")
    with scratch(given.folder) as folder:
        home = folder / "timeline"
        with connect(home) as timeline:
            try:
                if not given.reuse:
                    fill(timeline, given.events, report)
                rows = timeline.count(Search(CASE)).rows
                if rows != given.events:
                    raise SystemExit(f"The store holds {rows:,} rows, not {given.events:,}.")
                ask(report, timeline, given.events, given.runs)
                peak = highest(store_of(home))
                report.add("store process, peak memory", f"{peak / 2**20:,.0f} MiB",
                           "aim: < 2,000", peak=peak)  # fmt: skip
            finally:
                stop(store_of(home))
    report.finish(given)


if __name__ == "__main__":
    main()
