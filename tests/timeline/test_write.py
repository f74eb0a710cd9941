# SPDX-License-Identifier: Apache-2.0
"""Rows go in once, come out as they went in, and further places become sightings."""

import signal
from pathlib import Path

import pyarrow as pa
import pytest

from locard.model.errors import BadQuery, Error, Missing
from locard.timeline import Search, Timeline, Written, connect, schema
from locard.timeline.staging import staged
from tests.timeline.conftest import end
from tests.timeline.rows import EVIDENCE, HOUR, OTHER, START, batch, many

FULL = {
    "time": START + 123_456_789,
    "time_meaning": "event",
    "provider": "aws",
    "account": "123456789012",
    "region": "eu-west-1",
    "host": "i-1",
    "actor": "arn:aws:iam::123456789012:user/éva",
    "actor_kind": "IAMUser",
    "session": "ASIA1",
    "action": "GetObject",
    "outcome": "failure",
    "error": "AccessDenied",
    "resource": "bucket/key",
    "src_ip": "2001:db8::1",
    "src_port": 65535,
    "dst_ip": "10.0.0.1",
    "dst_port": 1,
    "process": "p",
    "file": "/a b",
    "hash": "00",
    "domain": "example.org",
    "url": "https://example.org/",
    "message": "line\nwith \"quotes\" and \t tab \\ and ü",
    "attributes": {"one": "1", "zwei": "ü", "empty": ""}.items(),
    "raw": bytes(range(256)),
    "locator": "line:1",
    "problem": "none really",
}  # fmt: skip


def test_a_row_comes_back_as_it_went_in(timeline: Timeline) -> None:
    assert timeline.write("case", batch({**FULL, "attributes": list(FULL["attributes"])})) == (
        Written(1, 0, 0)
    )
    (row,) = timeline.page(Search("case")).rows
    for name, value in FULL.items():
        assert row[name] == (dict(value) if name == "attributes" else value), name
    assert (row["case"], row["evidence"], row["source"]) == ("case", EVIDENCE, "test.rows")
    event = timeline.event(row["id"])
    assert event.raw == bytes(range(256))
    assert event.attributes == {"one": "1", "zwei": "ü", "empty": ""}
    assert event.values["src_port"] == 65535
    assert event.time == FULL["time"]
    (exported,) = timeline.export(Search("case"))
    assert exported.column("raw")[0].as_py() == bytes(range(256))
    assert exported.column("time").cast(pa.int64())[0].as_py() == FULL["time"]
    assert exported.column("id")[0].as_py() == row["id"]


def test_the_same_batch_adds_nothing(timeline: Timeline) -> None:
    assert timeline.write("case", many(100)) == Written(100, 0, 0)
    assert timeline.write("case", many(100)) == Written(0, 100, 0)
    assert timeline.write("case", many(100, 50)) == Written(50, 50, 0)
    assert timeline.count(Search("case")).rows == 150
    assert timeline.write("other", many(100)) == Written(100, 0, 0)


def test_another_place_is_a_sighting_once(timeline: Timeline) -> None:
    record = {"identity": "record", "message": "same"}
    assert timeline.write("case", batch({**record, "locator": "a"})) == Written(1, 0, 0)
    elsewhere = batch({**record, "locator": "b"}, evidence=OTHER)
    assert timeline.write("case", elsewhere) == Written(0, 0, 1)
    assert timeline.write("case", elsewhere) == Written(0, 1, 0)
    (row,) = timeline.page(Search("case")).rows
    assert timeline.sightings("case", row["id"]) == [(OTHER, "b")]
    assert timeline.event(row["id"], "case").sightings == ((OTHER, "b"),)
    assert timeline.summary("case").sightings == 1


def test_an_id_twice_in_one_batch(timeline: Timeline) -> None:
    rows = [
        {"identity": "twice", "locator": "a"},
        {"identity": "twice", "locator": "b"},
        {"identity": "twice", "locator": "a"},
        {"identity": "once", "locator": "c"},
    ]
    assert timeline.write("case", batch(*rows)) == Written(2, 1, 1)
    assert timeline.write("case", batch(*rows)) == Written(0, 4, 0)
    assert timeline.count(Search("case")).rows == 2


def test_an_empty_batch(timeline: Timeline) -> None:
    assert timeline.write("case", batch()) == Written(0, 0, 0)


def test_undated_rows(timeline: Timeline) -> None:
    smallest, largest = -(1 << 63) + 1, (1 << 63) - 1
    times = [None, START, smallest, largest, 0, -2_208_988_800_000_000_000]
    timeline.write("case", batch(*({"time": t, "locator": f"l{i}"} for i, t in enumerate(times))))
    rows = timeline.page(Search("case")).rows
    assert [r["time"] for r in rows] == [None, *sorted(t for t in times if t is not None)]
    down = timeline.page(Search("case"), order="desc").rows
    assert [r["time"] for r in down] == [r["time"] for r in rows][::-1]
    assert timeline.count(Search("case", end=largest)).rows == 4
    assert timeline.count(Search("case", start=smallest)).rows == 5
    assert timeline.count(Search("case", "time:*")).rows == 5
    assert timeline.count(Search("case", "NOT time:*")).rows == 1
    assert timeline.span("case") == (smallest, largest)
    summary = timeline.summary("case")
    assert (summary.rows, summary.undated) == (6, 1)
    histogram = timeline.histogram(Search("case"))
    assert histogram.undated == 1
    assert sum(map(sum, histogram.series.values())) == 5
    exported = [t for b in timeline.export(Search("case"), ["time"]) for t in b.column("time")]
    assert exported[0].value is None
    assert [t.value for t in exported[1:]] == sorted(t for t in times if t is not None)
    undated = rows[0]["id"]
    assert timeline.context("case", undated).position == 0


def test_pages_meet_without_gap_or_overlap(timeline: Timeline) -> None:
    # Many rows share a time, so that the id has to part them.
    timeline.write(
        "case", batch(*({"time": START + n // 7 * HOUR, "locator": f"l{n}"} for n in range(103)))
    )
    for order in ("asc", "desc"):
        expected = [r["id"] for r in timeline.page(Search("case"), 1000, order=order).rows]
        found, cursor, pages = [], None, []
        while True:
            page = timeline.page(Search("case"), 10, cursor, order=order, columns=["id", "time"])
            pages.append(page)
            found += [r["id"] for r in page.rows]
            cursor = page.next
            if cursor is None:
                break
        assert found == expected
        assert pages[0].previous is None
        back = timeline.page(Search("case"), 10, pages[3].previous, order=order)
        assert [r["id"] for r in back.rows] == expected[20:30]
        first = timeline.page(Search("case"), 10, pages[1].previous, order=order)
        assert ([r["id"] for r in first.rows], first.previous) == (expected[:10], None)
        skipped = timeline.page(Search("case"), 10, offset=55, order=order)
        assert [r["id"] for r in skipped.rows] == expected[55:65]


@pytest.mark.parametrize("cursor", ["", "x", "é", "AAAA", "bmE", "=" * 50, "bmEXdEOFxdu0AFff"])
def test_a_cursor_of_nowhere(shared: Timeline, cursor: str) -> None:
    with pytest.raises(Error, match="cursor"):
        shared.page(Search("case"), cursor=cursor)


def test_what_is_not_there(shared: Timeline) -> None:
    for key in ("0" * 32, "x", "", "' OR 1"):
        with pytest.raises(Missing):
            shared.event(key)
    with pytest.raises(Error, match="order"):
        shared.page(Search("case"), order="up")
    with pytest.raises(BadQuery):
        shared.page(Search("case"), columns=["nonsense"])
    with pytest.raises(Missing, match="facets"):
        shared.facets(Search("case"), ["nonsense"])
    assert shared.summary("nowhere").rows == 0
    assert shared.span("nowhere") is None
    assert shared.histogram(Search("nowhere")).series == {}


def test_context_is_ordered_and_bounded(timeline: Timeline) -> None:
    timeline.write("case", many(1500))
    middle = timeline.page(Search("case"), 1, offset=700).rows[0]
    near = timeline.context("case", middle["id"], 1)
    assert len(near.rows) == 121
    assert near.rows[near.position]["id"] == middle["id"]
    assert (near.before, near.after) == (False, False)
    wide = timeline.context("case", middle["id"], 60)
    assert (len(wide.rows), wide.position, wide.before, wide.after) == (1001, 500, True, True)
    assert not {"raw", "attributes"} & wide.rows[0].keys()
    few = timeline.context("case", middle["id"], 60, 2)
    assert (len(few.rows), few.position, few.before, few.after) == (5, 2, True, True)
    assert few.rows[2]["id"] == middle["id"]


def test_figures_of_a_case(timeline: Timeline) -> None:
    timeline.write("case", many(10))
    timeline.write("case", batch({"problem": "cut short", "raw": b"x"}, evidence=OTHER))
    timeline.write("second", many(3))
    summary = timeline.summary("case")
    assert timeline.summaries() == {"case": summary, "second": timeline.summary("second")}
    assert timeline.summary("second").rows == 3
    timeline.drop("second")
    assert (summary.rows, summary.problems, summary.sources) == (11, 1, {"test.rows": 11})
    assert timeline.evidence_counts("case") == {EVIDENCE: 10, OTHER: 1}
    assert timeline.rows_of("case", OTHER) == 1
    assert timeline.values("case", "action", "g") == [("Get", 5)]
    assert timeline.values("case", "action") == [("Get", 5), ("Put", 5)]
    facets = timeline.facets(Search("case"), ["action", "source", "dst_port"], size=2)
    assert [(f.field, f.values, f.others, f.distinct) for f in facets.facets] == [
        ("action", [("Get", 5), ("Put", 5), ("", 1)], 0, 3),
        ("source", [("test.rows", 11)], 0, 1),
        ("dst_port", [("", 11)], 0, 1),
    ]
    # A condition that reads the records takes the other way to the same figures.
    scanned = timeline.facets(Search("case", "/.*/"), ["action", "source", "dst_port"], size=2)
    assert (scanned.facets, scanned.rows) == (facets.facets, 11)
    for query in ("", "/.*/"):
        (one,) = timeline.facets(Search("case", query), ["action"], size=1).facets
        assert (one.values, one.others) == ([("Get", 5), ("", 1)], 5)
    histogram = timeline.histogram(Search("case"), 5, "action")
    assert histogram.width == 2_000_000_000
    assert histogram.start % histogram.width == 0
    assert {k: sum(v) for k, v in histogram.series.items()} == {"Get": 5, "Put": 5, "": 1}
    timeline.write("other", many(3))
    timeline.drop("case")
    assert timeline.summary("case").rows == 0
    assert timeline.count(Search("")).rows == 3


def test_one_bucket_of_times_on_both_sides_of_1970_is_two(timeline: Timeline) -> None:
    moments = (-1, 0, START, -(2 * 365 * 86400 * 1_000_000_000))
    timeline.write(
        "case", batch(*({"locator": f"l{n}", "time": at} for n, at in enumerate(moments)))
    )
    for wanted, most in ((1, 2), (2, 2), (120, 120)):
        histogram = timeline.histogram(Search("case"), wanted)
        (counts,) = histogram.series.values()
        assert len(counts) <= most
        assert sum(counts) == 4
        assert sum(counts[: -histogram.start // histogram.width]) == 2


def test_export_is_everything_in_order(timeline: Timeline) -> None:
    for first in range(0, 45_000, 15_000):
        timeline.write("case", many(15_000, first))
    batches = list(timeline.export(Search("case", "action:get"), ["locator", "time"]))
    assert len(batches) > 1
    locators = [value for b in batches for value in b.column("locator").to_pylist()]
    assert locators == [f"line:{n}" for n in range(1, 45_000, 2)]


def test_the_text_index_changes_no_answer(timeline: Timeline) -> None:
    for first in (0, 2000):
        timeline.write("case", many(2000, first))
    queries = ["number17", "NUMBER17", '"number17 of many"', "*mber17*", "number1*", "NOT number17"]
    before = [timeline.count(Search("case", q)) for q in queries]
    assert any("index is not built" in note for note in before[0].notes)
    told: list[tuple[int, int]] = []
    timeline.index("case", lambda done, rows: told.append((done, rows)))
    assert told[-1] == (4000, 4000)
    assert told == sorted(told)
    after = [timeline.count(Search("case", q)) for q in queries]
    assert [c.rows for c in after] == [c.rows for c in before]
    assert [c.rows for c in after[:3]] == [1, 1, 1]
    assert after[0].notes == []
    timeline.write("case", many(10, 4000))
    assert timeline.count(Search("case", "number4003")).rows == 1
    timeline.index("case")
    assert timeline.count(Search("case", "number4003")).notes == []


@pytest.mark.parametrize("how", ["interrupted", "killed"])
def test_a_deletion_that_was_cut_off_is_waited_for_by_nobody(home: Path, how: str) -> None:
    with connect(home) as timeline:
        timeline.write("case", many(100))
        client = timeline._client
        client.command(f"SYSTEM STOP MERGES {schema.DATABASE}.events")
        ids = pa.array([bytes.fromhex(timeline.page(Search("case")).rows[0]["id"])], pa.binary(16))
        with pytest.raises(KeyboardInterrupt), staged(client, ids) as table:
            client.command(
                f"ALTER TABLE {schema.DATABASE}.events DELETE WHERE id IN (SELECT id FROM {table})",
                settings={"mutations_sync": 0},
            )
            if how == "killed":
                end(home, signal.SIGKILL)
            raise KeyboardInterrupt
    with connect(home) as timeline:
        timeline.index("case")
        left = "SELECT command FROM system.mutations WHERE NOT is_done"
        assert timeline._client.table(left).num_rows == 0
        assert timeline.count(Search("case")).rows in (99, 100)
