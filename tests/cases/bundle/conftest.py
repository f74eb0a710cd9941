# SPDX-License-Identifier: Apache-2.0
"""Two real installations, and a real bundle out of each, to be tampered with in copies."""

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from locard.cases.bundle.bag import Form
from locard.cases.bundle.export import Order, Sealed
from locard.cases.desk import Desk
from locard.evidence.authority import Authority
from locard.model.custody import Hand
from locard.settings import Settings
from locard.state import marks
from locard.timeline import Search
from locard_verify.keys import Key
from tests.cases.trails import trail
from tests.conftest import stop_store
from tests.evidence.authority import LocalAuthority

ANA = Hand("ana", "command line", "ana@forensic-1", "locard")
ZOE = Hand("zoe-of-another-case", "command line", "203.0.113.9", "Mozilla")


@dataclass(frozen=True)
class Installation:
    """A desk with a case `night` to hand over, and a case `harbour` that is nobody's business."""

    desk: Desk
    folder: Path
    authority: LocalAuthority

    @property
    def key(self) -> Key:
        return self.desk.vault.ledger.keys()[0]

    def token(self, message: bytes) -> bytes:
        """A response of our authority over these bytes."""
        return Authority.at(self.authority.url, (self.authority.root.read_bytes(),)).ask(message)[0]

    def export(self, path: Path, **how: object) -> Sealed:
        order = Order(path, "asked for by the court", **how)  # type: ignore[arg-type]
        return self.desk.bundles.export("night", order, who=ANA)

    @property
    def secrets(self) -> list[str]:
        """What says something about the other case."""
        ledger = self.desk.vault.ledger
        entries = list(ledger.entries(case="harbour"))
        return [
            "harbour", "HARBOUR", ZOE.name, ZOE.address, "vessel-arrivals",
            *{one.evidence for one in entries if one.evidence},
        ]  # fmt: skip


def build(folder: Path) -> Installation:
    desk = Desk(Settings(home=folder / "home", workers=2))
    authority = LocalAuthority(folder / "authority")
    trail(folder / "in" / "a.json.gz", range(40))
    trail(folder / "member.json", range(40, 60))
    with zipfile.ZipFile(folder / "in" / "b.zip", "w") as packed:
        packed.write(folder / "member.json", "logs/b.json")
    trail(folder / "vessel-arrivals.json", range(900, 903), eventName="StopLogging")
    desk.create("night", "The night of the 21st", who=ANA)
    desk.add("harbour", [folder / "vessel-arrivals.json"], who=ZOE)
    desk.add("night", [folder / "in"], who=ANA)
    desk.checkpoints.use(authority.url, [authority.root], ANA)
    desk.checkpoints.checkpoint(patient=True)
    batches = desk.timeline.export(Search(case="night"), ["id"])
    ids = sorted(one for batch in batches for one in batch.column("id").to_pylist())
    with desk.state.session() as session:
        marks.change(
            session, "night", [marks.Change(tuple(ids[:3]), star=True, add_tags=("keep",))], "ana"
        )
        marks.add_comment(session, "night", ids[0], "=the first one", "ana")
    return Installation(desk, folder, authority)


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    yield from running(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The same evidence under the same names in a ledger of another key."""
    yield from running(tmp_path_factory.mktemp("theirs"))


def running(folder: Path) -> Iterator[Installation]:
    """The installation, ended afterwards."""
    found = build(folder)
    yield found
    found.desk.timeline.close()
    found.desk.close()
    found.authority.close()
    stop_store(folder / "home")


@pytest.fixture(scope="session")
def sealed(ours: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the whole case, which nobody changes."""
    path = tmp_path_factory.mktemp("sealed") / "bundle"
    ours.export(path)
    return path


@pytest.fixture
def bundle(sealed: Path, tmp_path: Path) -> Path:
    """A copy of it, to be tampered with."""
    return Path(shutil.copytree(sealed, tmp_path / "bundle"))


__all__ = ["ANA", "ZOE", "Form", "Installation"]
