# SPDX-License-Identifier: Apache-2.0
"""The store process and its clients: starting, ending, dying, secrets, full and read-only disks."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest

from locard.model.errors import Storage
from locard.timeline import Search, Timeline, client, connect, process, schema
from locard.timeline.client import Lost
from locard.timeline.packing import packed_ids, stored
from locard.timeline.staging import staged
from tests.conftest import goes_on
from tests.timeline.conftest import end, told
from tests.timeline.rows import batch, many
from tests.waiting import PATIENCE, eventually


def _ask(port: object, authorization: str, body: bytes = b"SELECT 1") -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", body)
    if authorization:
        request.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_only_the_secret_is_answered(timeline: Timeline, home: Path) -> None:
    store = told(home)
    assert stat.S_IMODE((home / "store.json").stat().st_mode) == 0o600
    good = "Basic " + b64encode(f"locard:{store['secret']}".encode()).decode()
    wrong = "Basic " + b64encode(b"locard:guess").decode()
    assert _ask(store["port"], good) == 200
    assert _ask(store["port"], wrong) == 403
    assert _ask(store["port"], "") == 403
    assert _ask(store["port"], good, b"SELECT nonsense") == 500


def _data(rows: pa.RecordBatch) -> bytes:
    """Rows as the store takes them."""
    packed = stored("case", rows)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, packed.schema) as stream:
        for start in range(0, packed.num_rows, 1000):
            stream.write_batch(packed.slice(start, 1000))
    return sink.getvalue().to_pybytes()


def test_a_client_that_goes_away_amid_its_rows_leaves_none(timeline: Timeline, home: Path) -> None:
    timeline.write("case", many(3))
    data, store = _data(many(20_000, 100)), told(home)
    names = ",".join(f"`{name}`" for name in schema.NAMES)
    statement = quote(f"INSERT INTO locard.events ({names}) FORMAT ArrowStream")
    key = b64encode(f"locard:{store['secret']}".encode()).decode()
    head = (
        f"POST /?query={statement} HTTP/1.1\r\nAuthorization: Basic {key}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    for cut in (len(data) - 1, len(data) // 2, 0):
        with socket.create_connection(("127.0.0.1", int(str(store["port"])))) as connection:
            connection.sendall(head.encode() + data[:cut])
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    assert timeline.count(Search("case")).rows == 3
    with socket.create_connection(("127.0.0.1", int(str(store["port"])))) as connection:
        connection.sendall(head.encode() + data)
        assert connection.recv(12) == b"HTTP/1.1 200"
    assert timeline.count(Search("case")).rows == 20_003


def test_rows_of_many_batches_are_one_part(timeline: Timeline) -> None:
    """Some too few for a piece of their own, some of several pieces."""
    rows = [many(count, first) for count, first in ((5, 0), (9000, 10), (1, 9900), (3000, 10_000))]
    assert timeline.write("case", pa.Table.from_batches(rows)).new == 12_006
    assert timeline.write("case", pa.Table.from_batches(rows)).known == 12_006
    parts = "SELECT count() AS n FROM system.parts WHERE active AND table = 'events'"
    assert timeline._client.table(parts).to_pylist() == [{"n": 1}]
    assert timeline.count(Search("case")).rows == 12_006


def test_two_clients_share_one_process(timeline: Timeline, home: Path) -> None:
    before = told(home)
    timeline.write("case", many(3))
    with connect(home) as other:
        assert other.count(Search("case")).rows == 3
    assert told(home) == before


def test_clients_that_race_start_one_process(home: Path) -> None:
    found: list[Timeline] = []
    threads = [threading.Thread(target=lambda: found.append(connect(home))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    found[0].write("case", many(2))
    assert [t.count(Search("case")).rows for t in found] == [2, 2, 2, 2]
    for timeline in found:
        timeline.close()


def test_a_stale_file_is_no_store(home: Path) -> None:
    home.mkdir()
    (home / "store.json").write_text(json.dumps({"port": 9, "secret": "x", "pid": 1, "version": 1}))
    with connect(home) as timeline:
        assert timeline.count(Search("case")).rows == 0


def test_a_folder_that_was_copied_while_its_store_ran_has_a_store_of_its_own(
    timeline: Timeline, home: Path, tmp_path: Path
) -> None:
    timeline.write("case", many(5))
    copied = tmp_path / "copy"
    shutil.copytree(home, copied, symlinks=True)
    try:
        with connect(copied) as other:
            assert other.count(Search("case")).rows == 5
            other.write("case", many(3, 5))
            assert other.count(Search("case")).rows == 8
    finally:
        end(copied)
    assert timeline.count(Search("case")).rows == 5


def test_acknowledged_rows_survive_kill_9(timeline: Timeline, home: Path) -> None:
    timeline.write("case", many(500))
    end(home, signal.SIGKILL)
    assert (home / "store.json").exists()
    # The same client finds that its store is gone and starts another one.
    assert timeline.count(Search("case")).rows == 500
    assert timeline.write("case", many(500)).known == 500
    assert timeline.write("case", many(10, 500)).new == 10


def test_kill_9_amid_writing_loses_nothing(home: Path) -> None:
    acknowledged: list[int] = []
    with connect(home) as timeline:
        before = told(home)["pid"]
        amid = threading.Event()

        def kill() -> None:
            amid.wait()
            end(home, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        for number in range(12):
            if number == 5:
                amid.set()
            timeline.write("case", many(2000, number * 2000))
            acknowledged.append(number)
        killer.join(PATIENCE)
        assert told(home)["pid"] != before, "another store wrote the rest"
        # A batch that was at work when the store died was repeated, so all are there, once each.
        assert timeline.count(Search("case")).rows == 24_000
        assert len(acknowledged) == 12


def test_an_insert_whose_answer_was_lost_is_not_written_twice(
    timeline: Timeline, home: Path
) -> None:
    client = timeline._client
    insert, lost = client.insert, []

    def dies_after(table: str, batch: pa.RecordBatch, settings: object = None) -> None:
        insert(table, batch)
        if table == "events" and not lost:
            lost.append(table)
            end(home, signal.SIGKILL)
            client._forget(client._connected())
            raise Lost("the answer did not come")

    client.insert = dies_after  # type: ignore[method-assign]
    timeline.write("case", many(500))
    assert lost == ["events"]
    assert timeline.count(Search("case")).rows == 500


def test_a_table_that_a_crash_left_is_gone(timeline: Timeline, home: Path) -> None:
    with staged(timeline._client, packed_ids(pa.array(["0" * 32]))):
        end(home, signal.SIGKILL)
        left = timeline._client.table(
            "SELECT name FROM system.tables WHERE startsWith(name, 'staged_')"
        )
        assert left.num_rows == 0


def test_it_ends_when_idle(tmp_path: Path) -> None:
    folder = tmp_path / "idle"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "locard.timeline.serve", str(folder), "0.5"]
    )
    assert process.wait(PATIENCE) == 0
    assert not (folder / "store.json").exists()


def test_a_second_process_leaves_the_folder_alone(timeline: Timeline, home: Path) -> None:
    second = [sys.executable, "-P", "-m", "locard.timeline.serve", str(home)]
    assert subprocess.run(second, timeout=PATIENCE).returncode == 3
    assert timeline.count(Search("")).rows == 0


def test_sigterm_ends_it_cleanly(timeline: Timeline, home: Path) -> None:
    timeline.write("case", many(5))
    end(home, signal.SIGTERM)
    assert not (home / "store.json").exists()
    assert timeline.count(Search("case")).rows == 5


def test_many_threads_read_while_one_writes(timeline: Timeline) -> None:
    wrong: list[str] = []
    done = threading.Event()

    def read() -> None:
        last = 0
        while not done.is_set():
            rows = timeline.count(Search("case")).rows
            if rows < last or rows % 300:
                wrong.append(f"{rows} after {last}")
            last = rows
            timeline.page(Search("case", "number7"), limit=5)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for number in range(10):
            timeline.write("case", many(300, number * 300))
    finally:
        done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert timeline.count(Search("case")).rows == 3000


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here is a file")
    with pytest.raises(Storage, match="cannot use"):
        connect(tmp_path / "file" / "timeline")


def test_a_closed_timeline_says_so(timeline: Timeline) -> None:
    timeline.close()
    with pytest.raises(Storage, match="closed"):
        timeline.count(Search(""))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a read-only folder")
def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "timeline"
    folder.mkdir(mode=0o500)
    with pytest.raises(Storage, match="cannot use"):
        connect(folder)


def test_a_few_ids_are_looked_up_without_a_table_in_memory(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first such table of a store takes seconds, and the first star waited for it."""
    timeline.write("c", batch({"action": "Get"}, {"action": "Put"}))
    (row, _) = timeline.page(Search("c"), 2).rows
    strangers = [f"{n:032x}" for n in range(2000)]
    assert timeline.known("c", [row["id"], *strangers, "none"]) == {row["id"]}
    monkeypatch.setattr("locard.timeline.known.staged", None)
    assert timeline.known("c", [row["id"], strangers[0], "none"]) == {row["id"]}


def test_a_store_whose_folder_was_removed_ends(timeline: Timeline, home: Path) -> None:
    store = int(str(told(home)["pid"]))
    timeline.close()
    home.rename(home.with_name("gone"))
    eventually(lambda: not goes_on(store), "nobody would find it for a quarter of an hour")


def test_a_store_that_was_ended_while_it_began_is_not_begun_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def ended(folder: Path) -> subprocess.Popen[bytes]:
        begun.append(process.start(folder))
        begun[-1].terminate()
        return begun[-1]

    monkeypatch.setattr(client, "start", ended)
    with pytest.raises(Storage, match="ended while it began"):
        connect(home)
    assert len(begun) == 1
