# SPDX-License-Identifier: Apache-2.0
"""The first wrong things that a new person types: each gets a sentence that helps, and status 2."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from locard import __version__
from tests.cases.trails import trail
from tests.cli.conftest import Locard
from tests.waiting import PATIENCE

NO_EVENT = "0" * 32

MISTAKES = {
    "unknown case": (["search", "intrusoin"], ["no case called 'intrusoin'", "There are: c"]),
    "unknown case of evidence": (["evidence", "nope"], ["no case called 'nope'"]),
    "unknown case of export": (["export", "nope"], ["no case called 'nope'"]),
    "misspelt field": (["search", "c", "acton:GetObject"], ["acton", "Did you mean action"]),
    "open quote": (["search", "c", '"unended'], ['"']),
    "open bracket": (["search", "c", "(action:GetObject"], ["parenthesis is never closed"]),
    "bad address": (["search", "c", "src_ip:999.1.1.1/8"], ["999.1.1.1"]),
    "bad from": (["search", "c", "--from", "yesterdayish"], ["'yesterdayish' is not a time"]),
    "bad to": (["search", "c", "--to", "2026-13-45"], ["'2026-13-45' is not a time"]),
    "unknown zone of a search": (
        ["search", "c", "--from", "2026-01-01", "--zone", "Mars/Olympus"],
        ["no time zone 'Mars/Olympus'", "Europe/Berlin"],
    ),
    "unknown zone of a search without times": (
        ["search", "c", "--zone", "berlin"],
        ["no time zone 'berlin'", "Europe/Berlin"],
    ),
    "unknown column": (["search", "c", "--columns", "time,acter"], ["no column 'acter'"]),
    "unknown column of an export": (["export", "c", "--columns", "acter"], ["no column 'acter'"]),
    "limit of nothing": (["search", "c", "--limit", "0"], ["limit"]),
    "unknown option": (["search", "c", "--cuont"], ["No such option", "--count"]),
    "unknown command": (["serach", "c"], ["No such command", "search"]),
    "unknown event": (["prove", NO_EVENT], [NO_EVENT[:8]]),
    "not an event": (["prove", "abc"], ["abc"]),
    "unknown evidence": (["custody", "c", "abcdef0"], ["no evidence 'abcdef0'"]),
    "unknown case of a proof": (["prove", NO_EVENT, "--case", "nope"], ["no case called 'nope'"]),
    "unknown state": (["evidence", "c", "--stage", "parsd"], ["no state 'parsd'", "parsed"]),
    "limit beyond all": (["evidence", "c", "--limit", "9" * 30], ["limit"]),
    "limit beyond all entries": (["custody", "c", "--limit", "9" * 30], ["limit"]),
    "entry beyond all": (["custody", "explain", "9" * 30, "--reason", "x"], ["entry"]),
    "hold beyond all": (["case", "release", "c", "9" * 30, "--reason", "x"], ["number"]),
    "port beyond all": (["serve", "--port", "99999"], ["port"]),
    "no path": (["add", "c"], ["Missing argument", "paths"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_explained_with_status_2(c: Locard, mistake: str) -> None:
    command, words = MISTAKES[mistake]
    ran = c(*command)
    assert ran.status == 2, ran
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err, ran.err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_json_when_json_is_wanted(c: Locard, mistake: str) -> None:
    command, _ = MISTAKES[mistake]
    ran = c(*command, "--json")
    assert (ran.status, ran.out) == (2, "")
    assert json.loads(ran.err)["error"]


def test_a_mistake_in_a_query_points_at_the_character(c: Locard) -> None:
    ran = c("search", "c", "outcome:success AND acton:GetObject")
    query, pointer = ran.err.splitlines()[1:3]
    assert query.strip() == "outcome:success AND acton:GetObject"
    assert pointer.index("^") == query.index("acton")
    assert pointer.count("^") == len("acton")
    told = json.loads(c("search", "c", "outcome:success AND acton:GetObject", "--json").err)
    assert (told["position"], told["length"], told["suggestion"]) == (20, 5, "action")


def test_a_mistake_in_a_long_query_is_shown_with_what_stands_around_it(c: Locard) -> None:
    ran = c("search", "c", "x " * 450 + "acton:GetObject" + " y" * 450)
    query, pointer = ran.err.splitlines()[1:3]
    assert len(query) < 300 and query.strip().startswith("…") and query.endswith("…")
    assert pointer.index("^") == query.index("acton")
    assert len(c("search", "c", "x" * 30_000).err) < 500


def test_cases_says_how_many_events_each_has(locard: Locard, tmp_path: Path) -> None:
    """And not how many records were read: the same record in a second file is no further event."""
    files = [trail(tmp_path / f"{n}.json.gz", range(n)) for n in (3, 1)]
    added = locard("add", "twice", *map(str, files))
    assert "3 events added." in added.out
    assert "1 record was known from other files" in added.out
    assert locard("cases").out.splitlines()[1].split()[-2:] == ["3", "0"]
    [told] = locard("cases", "--json").json
    assert told["events"] == 3 and told["totals"]["rows"] == 4


def test_a_path_that_does_not_exist_makes_no_case(locard: Locard, tmp_path: Path) -> None:
    trail(tmp_path / "trail.json", range(3))
    ran = locard("add", "new", tmp_path / "trial.json")
    assert ran.status == 2
    assert f"There is no file or folder {tmp_path}/trial.json" in ran.err
    assert f"Did you mean {tmp_path}/trail.json?" in ran.err
    assert locard("cases", "--json").json == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--as", "aws.cloudtrial"], ["no parser called 'aws.cloudtrial'", "aws.cloudtrail"]),
        (["--zone", "Mars/Olympus"], ["no time zone 'Mars/Olympus'"]),
        (["--mapping", "shop"], ["no mapping called 'shop'", "locard mapping save"]),
        (["--host", "h" * 3000], ["name of the host has 3,000 letters, more than 255", "web-1"]),
        (["--who", "w" * 3000], ["custody ledger has 3,000 letters, more than 200", "--who"]),
        (["--limit", "raito=5"], ["no limit called 'raito'", "Did you mean ratio?"]),
        (["--limit", "ratio"], ["'ratio' sets no limit", "ratio=NUMBER"]),
        (["--limit", "ratio=-1"], ["'ratio=-1' sets no limit"]),
        (["--limit", "members=1.5"], ["Only seconds and idle_seconds take fractions"]),
    ],
)
def test_a_wish_that_cannot_be_met_changes_nothing(
    locard: Locard, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    ran = locard("add", "new", trail(tmp_path / "trail.json", range(3)), *options)
    assert (ran.status, ran.out) == (2, "")
    for word in words:
        assert word in ran.err
    assert locard("cases", "--json").json == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns:\n  time: ts\n  message: a\n  message: b\n", ["line 4", "'message' stands here"]),
        (
            "time: {from: ts, as: x}\ntiem: ts\n",
            ["line 1", "`as: x`", "line 2", "tiem: there is no"],
        ),
        ("columns:\n\ttime: x\n", ["line 2, column 1: this is no YAML"]),
        ("a: &a [x]\ncolumns: {time: *a}\n", ["line 1", "aliases are not understood"]),
        ("[" * 3000 + "]" * 3000, ["this is no YAML"]),
        ("columns: {}\n", ["has no columns"]),
        ("", ["keys with values"]),
    ],
)
def test_a_mistake_in_a_mapping_is_named_with_its_line(
    locard: Locard, tmp_path: Path, text: str, said: list[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    ran = locard("mapping", "save", "mine", tmp_path / "mine.yaml")
    assert ran.status == 2
    assert all(word in ran.err for word in said), ran.err
    assert locard("mapping", "list", "--json").json == {}


def test_a_mapping_for_a_parser_that_takes_none(locard: Locard, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("time: ts\noutcome: {from: ok, values: {true: success}}\n")
    assert locard("mapping", "save", "mine", tmp_path / "mine.yaml").status == 0
    rules = locard("mapping", "list", "--json").json["mine"]
    assert rules["outcome"]["values"] == {"true": "success"}
    (tmp_path / "a.jsonl").write_text("{}")
    ran = locard("add", "c", tmp_path / "a.jsonl", "--as", "aws.vpcflow", "--mapping", "mine")
    assert ran.status == 2
    assert "aws.vpcflow takes none" in ran.err
    assert locard("cases", "--json").json == []


def test_a_name_that_no_case_can_have(locard: Locard, tmp_path: Path) -> None:
    ran = locard("add", "Über Fall", trail(tmp_path / "trail.json", range(3)))
    assert ran.status == 2
    assert "cannot be the name of a case" in ran.err
    assert "lower-case letters" in ran.err


@pytest.mark.parametrize(
    ("name", "word"),
    [("out.xls", "ending of out.xls names no form"), ("out", "ending of out names no form")],
)
def test_an_export_needs_a_form(c: Locard, tmp_path: Path, name: str, word: str) -> None:
    ran = c("export", "c", "--output", tmp_path / name)
    assert ran.status == 2
    assert word in ran.err
    assert list(tmp_path.iterdir()) == []


def test_an_export_to_a_folder_or_into_none_leaves_nothing(c: Locard, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    folder = c("export", "c", "--output", tmp_path / "folder.csv")
    assert folder.status == 2
    assert "folder.csv is a folder" in folder.err
    nowhere = c("export", "c", "--output", tmp_path / "none" / "all.csv")
    assert nowhere.status == 2
    assert "cannot be written: No such file or directory" in nowhere.err
    assert [one.name for one in tmp_path.rglob("*")] == ["folder.csv"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["zzz"], "None of the 100 events of c matches 'zzz'."),
        (["*", "--from", "2031"], "None of the 100 events of c matches '*' from 2031."),
        (["--to", "1971"], "None of the 100 events of c has a time to 1971."),
        (
            ['"[/x]"', "--from", "2031", "--to", "2032-02"],
            "None of the 100 events of c matches '\"[/x]\"' from 2031 to 2032-02.",
        ),
    ],
)
def test_what_found_nothing_is_said_with_its_span(c: Locard, asked: list[str], said: str) -> None:
    ran = c("search", "c", *asked)
    assert (ran.status, ran.out) == (0, "")
    assert said in ran.err


def test_an_export_takes_nothing_away_from_where_it_goes(c: Locard, tmp_path: Path) -> None:
    """A pipe, a device or a link stays one: root's /dev/null must not become a file."""
    kept, link, pipe = (tmp_path / name for name in ("kept.csv", "link.csv", "pipe.csv"))
    link.symlink_to(kept)
    assert c("export", "c", "--output", link).status == 0
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        assert c("export", "c", "--output", pipe).status == 0
        came, _ = reader.communicate(timeout=PATIENCE)
    assert len(came.splitlines()) > 100
    assert came == kept.read_bytes()
    assert link.is_symlink() and pipe.is_fifo()
    assert sorted(tmp_path.iterdir()) == [kept, link, pipe]


def test_a_setting_that_is_none_is_named(locard: Locard) -> None:
    ran = locard.apart("cases", LOCARD_WORKERS="many")
    assert ran.status == 2
    assert "LOCARD_WORKERS is 'many'" in ran.err
    ran = locard.apart("cases", LOCARD_LIMITS="ratio=5,depht=2")
    assert ran.status == 2
    assert "Did you mean depth?" in ran.err
    assert not locard.home.exists()


def test_a_home_that_cannot_be_one_and_an_address_of_another_machine(locard: Locard) -> None:
    for name in ("a" * 300, "/dev/null"):
        ran = locard.apart("cases", LOCARD_HOME=name)
        assert ran.status == 2
        assert "cannot be" in ran.err and "Traceback" not in ran.err
    ran = locard("serve", "--bind", "192.0.2.1")
    assert (ran.status, "'192.0.2.1' is no address of this machine" in ran.err) == (2, True)


def test_no_arguments_shows_help_and_not_a_traceback(locard: Locard) -> None:
    ran = locard.apart()
    assert ran.status == 2
    assert "Usage: locard" in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_an_export_that_fails_leaves_nothing(c: Locard, tmp_path: Path) -> None:
    ran = c("export", "c", "acter:x", "--output", tmp_path / "all.csv")
    assert ran.status == 2
    assert "actor" in ran.err
    assert not list(tmp_path.glob("all.csv*"))


def test_case_and_tag_are_words_of_the_command_line_too(c: Locard) -> None:
    row = c("search", "c", "--limit", 1, "--json").json
    assert (row["case"], row["tag"]) == ("c", "")
    ran = c("search", "c", "--limit", 1, "--columns", "case,tag")
    assert (ran.status, ran.out.split()[1:]) == (0, ["c", "-"])
    exported = c("export", "c", "--format", "csv", "--columns", "case,tag")
    assert exported.status == 0


def test_the_version_is_said(locard: Locard) -> None:
    ran = locard("--version")
    assert (ran.status, ran.out) == (0, f"locard {__version__}\n")
