# SPDX-License-Identifier: Apache-2.0
"""Several runs of the command at once, in a home that none of them made before."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cases.trails import trail
from tests.cli.conftest import Ran, run
from tests.conftest import stop_store


def test_the_same_folder_is_added_by_three_at_once(tmp_path: Path) -> None:
    for number in range(20):
        trail(tmp_path / "in" / f"{number}.json", range(number * 10, number * 10 + 12))
    home = tmp_path / "home"

    def add(_: int) -> Ran:
        return run(home, "add", "c", tmp_path / "in", "--json")

    with ThreadPoolExecutor(3) as threads:
        ran = list(threads.map(add, range(3)))
    try:
        assert [one.status for one in ran] == [0, 0, 0], ran
        assert sum(one.json["made"] for one in ran) == 1
        assert sum(one.json["events"] for one in ran) == 202
        assert run(home, "search", "c", "--count").out.strip() == "202"
        assert run(home, "custody", "c", "--check").status == 0
    finally:
        stop_store(home)
