# SPDX-License-Identifier: Apache-2.0
"""What has come in is parsed while more is taken in, and a run that ends does so at once."""

import os
import signal
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from locard.cases import intake
from locard.cases.adding import WAITING, Added, Adding
from locard.cases.desk import Desk
from locard.cases.feed import Check, Feed, Queued
from locard.cases.intake import Intake, Taken, Wish
from locard.cases.looking import look
from locard.cases.progress import Progress
from locard.evidence import local
from locard.evidence.local import LocalStore
from locard.evidence.store import Content
from locard.model.custody import Hand
from locard.model.errors import Storage
from locard.parsers.contract import Limits
from locard.parsers.pool import Pool
from tests.cases.test_images import column, item
from tests.cases.trails import trail
from tests.cli.conftest import Ran
from tests.cli.conftest import run as command
from tests.parsers.confined_pool import TOYS
from tests.parsers.test_disk import image, tool  # noqa: F401  (image is a fixture)
from tests.waiting import eventually

Between = Callable[[Check], None]
Run = Callable[[list[Path], Between], Added]


@pytest.fixture
def run(desk: Desk) -> Iterator[Run]:
    """A run that takes files in one by one, and does something after each was handed on."""
    desk.create("c", who="ana")

    def done(paths: list[Path], between: Between) -> Added:
        progress = Progress(desk.state, "c", "Adding", "ana")
        hand = Hand("ana")
        with Adding(
            desk.settings, desk.state, desk.vault, lambda: desk.timeline, "c", hand, Limits(), {}
        ) as adding:
            adding._pool = Pool(2, desk.settings.scratch, Limits(), (TOYS,))

            def take(queued: Queued, check: Check) -> Taken:
                coming = Intake(desk.state, desk.vault, "c", hand, Wish(), queued, adding.ahead)
                for path in paths:
                    coming.take(look([path], desk.settings.home).files, lambda _count: check())
                    between(check)
                return coming.taken

            try:
                return adding.parse(progress, feed=Feed(take))
            finally:
                progress.finish("done")

    yield done


def test_rows_are_searched_while_more_is_taken_in(run: Run, desk: Desk, tmp_path: Path) -> None:
    paths = [trail(tmp_path / f"{n}.json.gz", range(n * 10, n * 10 + 10)) for n in range(3)]
    seen = [10, 20, 30]

    def there(_check: Check) -> None:
        wanted = seen.pop(0)
        eventually(lambda: len(column(desk, "", "id")) == wanted, f"there are no {wanted} rows")

    added = run(paths, there)
    assert seen == []
    assert (added.events, added.seen, added.problems) == (30, 30, 0)


def test_a_file_that_comes_twice_in_one_run_is_parsed_once(
    run: Run, desk: Desk, tmp_path: Path
) -> None:
    first = trail(tmp_path / "a.json.gz", range(10))
    (tmp_path / "b").mkdir()
    again = tmp_path / "b" / "a.json.gz"
    again.write_bytes(first.read_bytes())
    added = run([first, again], lambda _check: None)
    assert (added.events, added.seen) == (10, 10)
    (held,) = desk.evidence("c")[0]
    assert held.stage == "parsed"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_run_that_waits_says_what_its_files_gave_though_another_read_them(
    run: Run, desk: Desk, home: Path, tmp_path: Path, as_json: bool
) -> None:
    """And of files that the case had before only that it has them."""
    (tmp_path / "b").mkdir()
    first = trail(tmp_path / "a.json.gz", range(10))
    trail(tmp_path / "b" / "b.json.gz", range(100, 130))
    cut = trail(tmp_path / "b" / "cut.json.gz", range(200, 230))
    cut.write_bytes(cut.read_bytes()[:-30])
    (tmp_path / "b" / "a.json.gz").write_bytes(first.read_bytes())
    others: list[Ran] = []
    options = ["--json"] if as_json else []
    second = Thread(
        target=lambda: others.append(command(home, "add", "c", tmp_path / "b", *options))
    )

    def add_another(_check: Check) -> None:
        eventually(lambda: item(desk, "a.json.gz").stage == "parsed", "it is not parsed")
        second.start()
        eventually(lambda: desk.progress("c")[0].stage == WAITING, "nobody waits")

    added = run([first], add_another)
    second.join()
    (other,) = others
    rows, problems = item(desk, "b/cut.json.gz").seen, item(desk, "b/cut.json.gz").problems
    assert (added.events, added.read_elsewhere) == (40 + rows, 0)
    assert rows > 1
    assert other.status == 1, other  # one was cut short
    if as_json:
        told = other.json
        assert (told["files"], told["new_files"], told["known_files"]) == (3, 2, 1)
        assert (told["events"], told["seen"], told["problems"]) == (0, 30 + rows, problems)
        assert (told["read_elsewhere"], told["seen_elsewhere"]) == (2, 30 + rows)
        assert [one["name"] for one in told["damaged"]] == ["b/cut.json.gz"]
        return
    assert "3 files taken in, 1 held already." in other.out
    assert f"has read 2 of these files: {30 + rows} records.\n" in other.out
    assert "read in part: b/cut.json.gz" in other.err
    assert "added" not in other.out


def test_what_stops_taking_in_stops_the_run_and_is_told(
    run: Run, desk: Desk, tmp_path: Path
) -> None:
    def full(_check: Check) -> None:
        raise Storage("The disk of the vault is full.", "Free some space.")

    with pytest.raises(Storage, match="vault is full"):
        run([trail(tmp_path / "a.json.gz", range(10))], full)
    added = desk.add("c", [], who="ana")
    assert added.failed == []
    assert len(column(desk, "", "id")) == 10


def test_an_interrupted_run_ends_what_its_workers_are_at_and_fails_nothing(
    run: Run, desk: Desk, tmp_path: Path
) -> None:
    asleep = tmp_path / "asleep"
    asleep.write_text("probe sleep 100000\n")

    def interrupt(check: Check) -> None:
        eventually(lambda: item(desk, "asleep").stage == "parsing", "nothing parses it")
        os.kill(os.getpid(), signal.SIGINT)
        eventually(lambda: check() is not None, "more is wanted still")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # test runners ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            run([asleep, trail(tmp_path / "never.json.gz", range(10))], interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    (held,) = desk.evidence("c")[0]
    assert (held.name, held.stage, held.attempts) == ("asleep", "parsing", 0)
    assert list(desk.settings.scratch.glob("workers-*")) == []


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is handed on as soon as it is in the vault."""
    monkeypatch.setattr(intake, "SECONDS", 0.0)
    monkeypatch.setattr(intake, "FIRST_SECONDS", 0.0)


@pytest.mark.usefixtures("at_once")
def test_an_image_in_several_files_waits_for_all_of_them(
    desk: Desk,
    image: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    whole = image.read_bytes()
    half = len(whole) // 1024 * 512
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "disk.001").write_bytes(whole[:half])
    (folder / "disk.002").write_bytes(whole[half:])
    for n in range(5):
        trail(folder / f"z{n}.json.gz", range(n * 10, n * 10 + 10))
    assert not desk.add("c", [folder], who="ana").failed
    first, second = item(desk, "in/disk.001"), item(desk, "in/disk.002")
    assert (first.stage, first.problems, second.stage) == ("parsed", 0, "part")
    desk.add("d", [image], who="ana")
    assert first.rows == desk.evidence("d")[0][0].rows > 10


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("packed", [False, True])
def test_an_image_waits_for_the_file_that_it_names(
    desk: Desk,
    image: Path,  # noqa: F811
    tmp_path: Path,
    packed: bool,
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "base.raw").write_bytes(image.read_bytes())
    command = [tool("qemu-img"), "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "base.raw"]
    subprocess.run([*command, "a-top.qcow2"], check=True, cwd=folder)
    if packed:
        names = ["in/a-top.qcow2", "in/base.raw"]
        subprocess.run(["tar", "-cf", "in.tar", *names], check=True, cwd=tmp_path)
    desk.add("c", [tmp_path / "in.tar" if packed else folder], who="ana")
    start = "in.tar/in" if packed else "in"
    top, base = item(desk, f"{start}/a-top.qcow2"), item(desk, f"{start}/base.raw")
    assert (top.stage, top.problems) == ("parsed", 0)
    assert top.rows == base.rows > 10


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("name", ["a.tgz", "a.zip", "a.bin"])
def test_bytes_that_are_in_an_archive_too_are_called_as_a_person_named_them(
    run: Run, desk: Desk, tmp_path: Path, name: str
) -> None:
    loose = trail(tmp_path / "z.json.gz", range(10))
    archive = tmp_path / name
    if name.endswith("zip"):
        with zipfile.ZipFile(archive, "w") as packed:
            packed.write(loose, loose.name)
    else:
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(loose, loose.name)
    added = run([archive, loose], lambda _check: None)
    assert (added.events, added.seen) == (10, 11)
    held = item(desk, "z.json.gz")
    assert set(held.places) == {"z.json.gz", f"{name}/z.json.gz"}


def test_who_settles_waits_for_what_another_is_about_to_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path)
    store.prepare()
    draft = tmp_path / "incoming" / "draft"
    draft.write_bytes(b"x")
    store.place("ab" + "0" * 62, draft, Content("ab" + "0" * 62, 1))
    begun, go_on, settled = Event(), Event(), Event()

    def slow(_path: Path) -> None:
        begun.set()
        assert go_on.wait(60)

    monkeypatch.setattr(local, "flush", slow)
    first = Thread(target=store.settle)
    first.start()
    assert begun.wait(60)
    second = Thread(target=lambda: (store.settle(), settled.set()))
    second.start()
    assert not settled.wait(0.2)
    go_on.set()
    first.join()
    second.join()
    assert settled.is_set()
