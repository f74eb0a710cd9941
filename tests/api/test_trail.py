# SPDX-License-Identifier: Apache-2.0
"""Whatever shows evidence over HTTP leaves an entry with who, through which door and from where."""

import pytest

from locard.model.custody import CustodyEntry
from tests.api.conftest import Api

READING = [
    ("GET", "/events?q=trail{n}", "searched"),
    ("GET", "/events/count?q=trail{n}", "searched"),
    ("GET", "/events/histogram?q=trail{n}", "searched"),
    ("GET", "/events/facets?q=trail{n}", "searched"),
    ("GET", "/events/export?q=trail{n}&format=csv", "exported"),
    ("GET", "/values?field=attributes.trail{n}", "searched"),
    ("GET", "/events/{event}", "viewed"),
    ("GET", "/events/{event}/context?minutes={n}", "searched"),
    ("POST", "/events/{event}/prove", "verified"),
    ("GET", "/evidence/{evidence}/download?reason=lab{n}", "downloaded"),
]


def entries(api: Api) -> list[CustodyEntry]:
    return list(api.desk.vault.ledger.entries(case="two"))


@pytest.mark.parametrize(("method", "path", "verb"), READING)
def test_reading_leaves_an_entry(api: Api, method: str, path: str, verb: str) -> None:
    (row, *_) = api.desk.timeline.page(api.desk.search("two", who="ana"), 5).rows
    number = [one[1] for one in READING].index(path) + 11
    address = path.format(n=number, event=row["id"], evidence=row["evidence"])
    before = len(entries(api))
    with api.signed_in("bob") as client:
        client.headers["User-Agent"] = f"tests {number}"
        answer = client.request(method, f"/api/cases/two{address}")
    assert answer.status_code == 200, answer.text
    left = [one for one in entries(api)[before:] if one.verb == verb]
    assert left, [one.verb for one in entries(api)[before:]]
    assert {(one.actor, one.door, one.address) for one in left} == {("bob", "page", "127.0.0.1")}
    assert left[0].agent == f"tests {number}"
    assert left[0].reason


def test_looking_whether_there_is_such_an_event_is_not_looking_at_it(api: Api) -> None:
    (row, *_) = api.desk.timeline.page(api.desk.search("two", who="ana"), 5).rows
    before = len(entries(api))
    with api.signed_in("bob") as client:
        assert client.get(f"/api/cases/two/events/{row['id']}/comments").status_code == 200
        assert client.get(f"/api/cases/two/events/{'0' * 32}/comments").status_code == 404
        assert client.get(f"/api/cases/two/events/{'0' * 32}").status_code == 404
    assert len(entries(api)) == before
