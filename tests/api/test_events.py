# SPDX-License-Identifier: Apache-2.0
import csv
import io
import json
from itertools import count
from typing import Any
from unittest.mock import ANY

import httpx
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from locard.api.answers import EventPage, EventWhole, Neighbours
from locard.api.times import iso
from locard.model.errors import Error
from locard.timeline import bounds
from locard.timeline.client import Client
from tests.waiting import eventually

EVENTS = "/api/cases/one/events"


def ask(client: httpx.Client, where: str, **parameters: Any) -> Any:
    answer = client.get(where, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def first(client: httpx.Client, **parameters: Any) -> dict[str, Any]:
    row: dict[str, Any] = ask(client, EVENTS, limit=1, **parameters)["events"][0]
    return row


def test_pages_fit_their_description_and_walk_both_ways(ada: httpx.Client) -> None:
    strict = TypeAdapter(EventPage)
    seen, cursor = [], None
    while True:
        text = ada.get(EVENTS, params={"limit": 30, **({"cursor": cursor} if cursor else {})})
        page = strict.validate_json(text.content, strict=True)
        seen += [row["id"] for row in text.json()["events"]]
        if page.next is None:
            break
        cursor = page.next
    assert len(seen) == len(set(seen)) == 100
    back = ask(ada, EVENTS, limit=30, cursor=page.previous)
    assert [row["id"] for row in back["events"]] == seen[60:90]
    down = ask(ada, EVENTS, limit=100, order="desc")["events"]
    assert [row["id"] for row in down] == seen[::-1]
    assert [row["id"] for row in ask(ada, EVENTS, limit=5, offset=50)["events"]] == seen[50:55]
    assert not {"raw", "attributes"} & down[0].keys()


def test_queries_and_ranges_agree_in_every_figure(ada: httpx.Client) -> None:
    asked = {
        "q": "action:DeleteObject",
        "from": "2026-03-01T00:00:10Z",
        "to": "2026-03-01T00:00:59Z",
    }
    found = ask(ada, EVENTS, **asked)["events"]
    assert len(found) == 10
    assert ask(ada, f"{EVENTS}/count", **asked)["count"] == 10
    facets = ask(ada, f"{EVENTS}/facets", **asked, fields="action,error", size=3)
    assert facets["action"] == {
        "values": [{"value": "DeleteObject", "count": 10}],
        "other": 0,
        "empty": 0,
    }
    assert facets["error"] == {"values": [], "other": 0, "empty": 10}
    bars = ask(ada, f"{EVENTS}/histogram", **asked, buckets=20)
    assert sum(map(sum, bars["series"].values())) == 10
    assert (bars["before"], bars["after"]) == (0, 0)
    assert ask(ada, f"{EVENTS}/histogram", **asked, buckets=20, outliers="false") == {
        **bars,
        "took_ms": ANY,
    }
    assert {len(counts) for counts in bars["series"].values()} == {len(bars["buckets"])}
    actors = ask(ada, f"{EVENTS}/facets", fields="actor", size=2)["actor"]
    assert len(actors["values"]) == 2
    assert sum(v["count"] for v in actors["values"]) + actors["other"] + actors["empty"] == 100


def test_a_histogram_of_nothing_is_empty_and_no_error(ada: httpx.Client) -> None:
    bars = ask(ada, f"{EVENTS}/histogram", q="action:NoSuchThing")
    assert sum(map(sum, bars["series"].values())) == 0


@pytest.mark.parametrize("where", ["", "/count", "/histogram", "/facets", "/export"])
def test_a_mistake_in_the_query_is_pointed_at(ada: httpx.Client, where: str) -> None:
    answer = ada.get(EVENTS + where, params={"q": "action:x AND actr:root"})
    assert answer.status_code == 400
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["position"] == 13 and problem["length"] == 4
    assert problem["suggestion"] == "actor"
    assert problem["detail"] and problem["request_id"]


def test_queries_can_be_checked_alone(ada: httpx.Client) -> None:
    assert ada.post("/api/query/check", json={"q": "tag:keep OR starred:true"}).json()["ok"]
    bad = ada.post("/api/query/check", json={"q": 'message:"open'}).json()
    assert not bad["ok"] and bad["position"] == 8 and bad["length"] >= 1 and bad["message"]
    endless = ada.post("/api/query/check", json={"q": "x" * 10_001})
    assert endless.json()["ok"] is False
    searched = ada.get(EVENTS, params={"q": "x" * 10_001}).json()
    assert searched["message"] == endless.json()["message"]
    assert searched["detail"] == "A query has at most 10,000 characters."


def test_an_event_is_whole_and_says_where_it_comes_from(ada: httpx.Client) -> None:
    row = first(ada, offset=50)
    answer = ada.get(f"{EVENTS}/{row['id']}")
    TypeAdapter(EventWhole).validate_json(answer.content, strict=True)
    event = answer.json()
    assert json.loads(event["raw"])["requestParameters"]["key"] == "k50"
    assert event["raw_base64"] is None and event["attributes"]
    assert event["time"] == "2026-03-01T00:00:50Z"
    assert event["time_ns"] == str(bounds(event["time"], "")[0])
    origin = event["provenance"]
    places = [(origin["name"], origin["evidence"])]
    places += [(sighting["name"], sighting["evidence"]) for sighting in origin["sightings"]]
    assert len(places) == 2
    assert {name.rpartition("/")[2] for name, _ in places} == {"a.json.gz", "b.json"}
    held = {one["id"] for one in ask(ada, "/api/cases/one/evidence")["evidence"]}
    assert {evidence for _, evidence in places} <= held
    assert origin["custody_sequence"] >= 1 and origin["locator"]


def test_an_event_out_of_an_archive_names_the_archive(ada: httpx.Client) -> None:
    event = ask(ada, f"{EVENTS}/{first(ada, offset=99)['id']}")
    parents = event["provenance"]["parents"]
    assert [parent["name"].rpartition("/")[2] for parent in parents] == ["b.zip"]


def test_the_neighbours_of_an_event(ada: httpx.Client) -> None:
    row = first(ada, offset=50)
    answer = ada.get(f"{EVENTS}/{row['id']}/context", params={"minutes": 0.1})
    TypeAdapter(Neighbours).validate_json(answer.content, strict=True)
    found = answer.json()
    assert found["events"][found["index"]]["id"] == row["id"]
    assert len(found["events"]) == 13


def test_a_row_is_proved(ada: httpx.Client) -> None:
    proof = ada.post(f"{EVENTS}/{first(ada)['id']}/prove").json()
    assert proof["passed"] and len(proof["steps"]) >= 5
    assert all(step["passed"] and step["detail"] for step in proof["steps"])


@pytest.mark.parametrize("rest", ["", "/context", "/comments"])
def test_events_of_another_case_are_not_there(ada: httpx.Client, rest: str) -> None:
    other = ask(ada, "/api/cases/two/events")["events"][0]["id"]
    assert ada.get(f"/api/cases/two/events/{other}{rest}").status_code == 200
    assert ada.get(f"{EVENTS}/{other}{rest}").status_code == 404
    assert ada.post(f"{EVENTS}/{other}/prove").status_code == 404


def test_marks_are_shown_and_can_be_searched_for(ada: httpx.Client) -> None:
    row = first(ada, offset=7)
    change = {"ids": [row["id"]], "star": True, "add_tags": ["key theft"]}
    undo = ada.post("/api/cases/one/marks", json=change).json()["undo"]
    for query in ('tag:"key theft"', "tag:key*", "starred:true"):
        found = ask(ada, EVENTS, q=query)["events"]
        assert [one["id"] for one in found] == [row["id"]], query
    assert found[0]["starred"] and found[0]["tags"] == ["key theft"]
    assert ask(ada, f"{EVENTS}/count", q="NOT starred:true")["count"] == 99
    assert ask(ada, "/api/cases/one/values", field="tag", prefix="KEY") == [
        {"value": "key theft", "count": 1}
    ]
    ada.post("/api/cases/one/marks", json=undo)
    assert ask(ada, f"{EVENTS}/count", q="starred:true")["count"] == 0


def test_values_complete(ada: httpx.Client) -> None:
    found = ask(ada, "/api/cases/one/values", field="action", prefix="get")
    assert found == [{"value": "GetObject", "count": 80}]


def test_facets_tell_none_from_a_further_value(ada: httpx.Client) -> None:
    facets = ask(ada, f"{EVENTS}/facets", fields="dst_port,error", size=1)
    assert facets["dst_port"] == {"values": [], "other": 0, "empty": 100}
    refused = ada.get(f"{EVENTS}/facets", params={"fields": "acton"})
    assert refused.status_code == 404
    assert "action" in refused.json()["advice"] and refused.json().get("position") is None


def test_exports_hold_everything(ada: httpx.Client) -> None:
    answer = ada.get(f"{EVENTS}/export", params={"format": "csv", "columns": "time,action"})
    assert answer.headers["content-disposition"] == 'attachment; filename="one.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 100 and set(rows[0]) == {"time", "action"}
    lines = ada.get(f"{EVENTS}/export", params={"format": "jsonl", "q": "action:DeleteObject"})
    assert len(lines.text.splitlines()) == 20
    table = pq.read_table(
        io.BytesIO(ada.get(f"{EVENTS}/export", params={"format": "parquet"}).content)
    )
    assert table.num_rows == 100
    assert ada.get(f"{EVENTS}/export", params={"columns": "nothing"}).status_code == 404
    assert set(table.column("case").to_pylist()) == {"one"}
    none = ada.get(f"{EVENTS}/export", params={"format": "parquet", "q": "action:nothing"})
    empty = pq.read_table(io.BytesIO(none.content))
    assert empty.num_rows == 0
    assert empty.schema.equals(table.schema)


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "yesterday-ish"},
        {"to": "2026-13-01"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"cursor": "nonsense"},
        {"limit": 1001},
        {"order": "sideways"},
        {"q": "x" * 10_001},
    ],
)
def test_bad_parameters_are_said(ada: httpx.Client, parameters: dict[str, Any]) -> None:
    answer = ada.get(EVENTS, params=parameters)
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]


def test_times_are_read_and_written_to_the_nanosecond() -> None:
    def first(text: str, zone: str = "UTC") -> int | None:
        return bounds(text, "", zone)[0]

    for text in ("2023-07-10T12:04:05.123456789Z", "1969-12-31T23:59:59.999999999Z"):
        assert iso(first(text) or 0) == text
    day = 1688947200 * 10**9
    assert first("2023-07-10") == first("2023-07-10 02:00", "Europe/Berlin") == day
    assert first("2023-07-10T02:00:00+02:00") == day
    assert first("1688947200000000001") == day + 1
    assert first("1688947200") == first("1688947200000") == day
    assert bounds("", " ") == (None, None)
    for text in ("9" * 20, "now-1x", "12:00", "2023-07-10T25:00"):
        with pytest.raises(Error):
            bounds(text, "")


def test_the_same_words_are_the_same_span_in_query_and_address(ada: httpx.Client) -> None:
    """A date as an end includes its day; a time in nanoseconds includes that one."""
    row = first(ada, q="action:DeleteObject")
    day = row["time"][:10]
    for start, end in ((day, day), (row["time"], row["time"]), (row["time_ns"], row["time_ns"])):
        asked = ask(ada, f"{EVENTS}/count", **{"from": start, "to": end})["count"]
        said = ask(ada, f"{EVENTS}/count", q=f'time:["{start}" TO "{end}"]')["count"]
        assert asked == said > 0
    assert ask(ada, f"{EVENTS}/count", to=day)["count"] == 100
    backwards = ada.get(f"{EVENTS}/count", params={"from": "2026-03-02", "to": "2026-03-01"})
    assert (backwards.status_code, "before it begins" in backwards.text) == (400, True)


def test_no_port_is_none_in_an_export(ada: httpx.Client) -> None:
    asked = {"columns": "id,src_port", "q": "src_port:0 OR NOT src_port:*"}
    lines = ada.get(f"{EVENTS}/export", params={**asked, "format": "csv"}).text.splitlines()
    assert len(lines) == 101
    assert {line.split(",")[1] for line in lines[1:]} == {""}
    rows = ada.get(f"{EVENTS}/export", params={**asked, "format": "jsonl"}).text.splitlines()
    assert {json.loads(row)["src_port"] for row in rows} == {None}


def test_what_a_page_asks_at_once_reads_the_records_once(
    ada: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[str] = []
    plain = Client.table

    def table(self: Client, statement: str, *arguments: Any, **named: Any) -> Any:
        if "raw ILIKE" in statement:
            readings.append(statement)
        return plain(self, statement, *arguments, **named)

    monkeypatch.setattr(Client, "table", table)
    numbers = count()

    def once() -> bool:
        readings.clear()
        asked = {"q": f"*nothing-like-it-{next(numbers)}*", "from": "2020-01-01"}
        assert ask(ada, EVENTS, **asked)["events"] == []
        assert ask(ada, f"{EVENTS}/count", **asked)["count"] == 0
        assert ask(ada, f"{EVENTS}/histogram", **asked)["series"] == {}
        assert ask(ada, f"{EVENTS}/facets", **asked)["action"]["values"] == []
        return len(readings) == 1

    # The store may just have joined its parts, after which each is read for itself for a while.
    eventually(once, "the records are read more than once")
