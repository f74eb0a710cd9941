# SPDX-License-Identifier: Apache-2.0
"""What a command loads before it does anything: a person waits for that each time."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import run
from tests.waiting import eventually

LIBRARIES = (
    "pyarrow", "numpy", "sqlalchemy", "clickhouse_connect", "chdb", "cryptography", "httpx2",
    "yaml", "fastapi", "boto3", "google.cloud", "azure", "dissect", "moto",
)  # fmt: skip

CLIENT = ("clickhouse_connect", "luqum", "locard.timeline.client")


def loaded(statement: str, home: Path, of: tuple[str, ...]) -> list[str]:
    """Which of these modules a new process has loaded after a statement."""
    program = f"import sys\n{statement}\nprint('loaded', *[m for m in {of!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"LOCARD_HOME": str(home)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["search", "--help"], ["--nonsense"]])
def test_words_about_commands_load_no_library_that_only_work_needs(
    words: list[str], tmp_path: Path
) -> None:
    said = f"from locard.cli.main import outcome\noutcome({words!r})"
    assert loaded(said, tmp_path, LIBRARIES) == []


def test_the_desk_opens_without_what_few_commands_ask_it_for(tmp_path: Path) -> None:
    few = (
        "httpx2", "boto3", "fastapi", "dissect", "chdb", "rfc3161_client", "cryptography.x509",
        "locard.cases.response.conductor",
        "locard.cases.bundle.bundles", "locard.cases.entrance", "locard.cases.notices.sending",
    )  # fmt: skip
    opened = "from pathlib import Path\nfrom locard.cases.desk import Desk\n"
    opened += f"at = Desk.at(Path({str(tmp_path)!r}))\nat.cases()"
    assert loaded(opened, tmp_path, few) == []


def test_the_store_process_loads_the_engine_and_not_its_own_client(tmp_path: Path) -> None:
    before = "import locard.timeline.serve"
    assert loaded(before, tmp_path, ("pyarrow", "numpy", *CLIENT)) == []
    assert loaded(f"{before}\nimport locard.timeline.protocol", tmp_path, CLIENT) == []


def test_a_mistake_leaves_no_store_behind(home: Path) -> None:
    (home.parent / "a.txt").write_text("a")
    mistaken = run(home, "add", "Not A Case", home.parent / "a.txt")
    assert mistaken.status == 2
    eventually(lambda: stores(home) == [], "a store goes on")


def stores(home: Path) -> list[str]:
    """The processes that own the timeline of a home."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = entry.read_bytes().split(b"\0")
            if str(home / "timeline").encode() in words:
                found.append(entry.parent.name)
    return found
