# SPDX-License-Identifier: Apache-2.0
"""The record of an exhibit: what goes in comes out, and what is empty is left out."""

from locard.model.custody import (
    Ancestor,
    Authority,
    Clocks,
    Exhibit,
    Hand,
    Method,
    Operator,
    Request,
    Span,
    Storage,
    Tool,
)

WHOLE = Exhibit(
    number="c-0001",
    case="c",
    evidence="e" * 64,
    blake2b="b" * 64,
    size=7,
    hash_point="in transit",
    covers="all blocks",
    authority=Authority("warrant", "17/26", "court", "2026-01-01", "2026-02-01", "one host"),
    source={"account": "111122223333"},
    method=Method("ebs.direct", "1", "crash-consistent"),
    tool=Tool("locard", "0.1.0", "d" * 64),
    operator=Operator("ana", "api", "192.0.2.1", "rule", "alert"),
    requests=(Request("GetSnapshotBlock", "r-1", "2026-01-02T00:00:00Z", "200"),),
    clocks=Clocks("system", "0.01", "chrony", "1", "2"),
    storage=Storage("folder", "objects/ee", "1", "sha256", "2027", "on"),
    changes=("a snapshot was tagged",),
    derived_from=Ancestor("c-0000", "a" * 64, "in/a.log", "unpacked"),
    time=Span("2026-01-02T00:00:00Z", "2026-01-02T00:00:01Z"),
)


def test_a_record_says_all_and_comes_back() -> None:
    assert Exhibit.of(WHOLE.record()) == WHOLE


def test_what_is_empty_is_left_out() -> None:
    bare = Exhibit(number="c-0001", case="c", evidence="e" * 64)
    assert set(bare.record()) == {"number", "case", "evidence"}
    assert Exhibit.of(bare.record()) == bare


def test_names_of_a_later_version_are_passed_over() -> None:
    record = WHOLE.record()
    record["method"]["colour"] = "green"
    assert Exhibit.of(record) == WHOLE


def test_a_name_is_a_hand_of_which_nothing_else_is_known() -> None:
    ana = Hand("ana", "page", "192.0.2.1", "a browser")
    assert Hand.of(ana) is ana
    assert Hand.of("ana") == Hand("ana")
