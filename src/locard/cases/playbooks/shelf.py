# SPDX-License-Identifier: Apache-2.0
"""The playbooks there are: those that come with Locard, and a person's own; on or off.

A playbook is off until somebody switches it on, and what is switched on is its very text: when the
file changes, it is off again until somebody has looked at it.
"""

import difflib
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from locard.actions.catalogue import Catalogue
from locard.cases.document import BadDocument
from locard.cases.playbooks import reading
from locard.cases.playbooks.reading import Written
from locard.evidence import Draft, Vault
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Error, Missing
from locard.model.playbook import Playbook
from locard.state.database import State
from locard.state.playbooks import SwitchRow

OWN = Path(__file__).parent


class Shelf:
    """The playbooks of one installation."""

    def __init__(
        self, home: Path, state: State, vault: Vault, catalogue: Catalogue, own: Path = OWN
    ) -> None:
        self.folder, self.own = home / "playbooks", own
        self.state, self.vault, self.catalogue = state, vault, catalogue

    def every(self) -> list[Playbook]:
        """All that can be read, by name; those that cannot are in `faulty`."""
        return [self._switched(one.playbook) for one in self._read()[0].values()]

    def faulty(self) -> dict[str, BadDocument]:
        """Files that are no playbooks, by name, and why."""
        return self._read()[1]

    def get(self, name: str) -> Playbook:
        """The playbook of that name. Raises `Missing`, or what is wrong with its file."""
        return self._switched(self.written(name).playbook)

    def written(self, name: str) -> Written:
        """The same with its condition, ready to be held against alerts."""
        good, bad = self._read()
        if name in bad:
            raise bad[name]
        if name not in good:
            near = difflib.get_close_matches(name, good, 1)
            raise Missing(
                f"There is no playbook called {name[:60]!r}.",
                f"Did you mean {near[0]}?" if near else f"Yours belong into {self.folder}.",
            )
        return good[name]

    def enabled(self) -> list[Written]:
        """Those that are switched on as they are now."""
        found = self._read()[0].values()
        return [one for one in found if self._switched(one.playbook).enabled]

    @property
    def awake(self) -> bool:
        """Whether any is switched on, or was until its file changed."""
        with self.state.session() as session:
            return session.scalar(select(SwitchRow.playbook).limit(1)) is not None

    def check(self, text: str, name: str) -> Written:
        """What a file of that name would be. Raises `BadDocument` that names every fault."""
        return reading.read(text, name, self.catalogue)

    def enable(self, name: str, who: Hand) -> Playbook:
        """Switch a playbook on, as it is now."""
        one = self.written(name).playbook
        with self.state.session(alone=True) as session:
            row = session.get(SwitchRow, name)
            if row is not None and row.digest == one.digest:
                raise Conflict(f"{name} is on already, since {row.who} switched it on.")
            row = SwitchRow(playbook=name, digest=one.digest, who=who.name, time=time.time_ns())
            session.merge(row)
        self._say(who, f"playbook {name} switched on", name, one.digest)
        return self.get(name)

    def disable(self, name: str, who: Hand) -> None:
        """Switch a playbook off. Runs that it began go on; they can be refused one by one."""
        with self.state.session(alone=True) as session:
            row = session.get(SwitchRow, name)
            if row is None:
                raise Conflict(f"{name[:60]} is not on.", "See: locard playbook list")
            digest = row.digest
            session.delete(row)
        self._say(who, f"playbook {name} switched off", name, digest)

    def _say(self, who: Hand, reason: str, name: str, digest: str) -> None:
        self.vault.prepare_folder()
        details = {"playbook": name, "sha256": digest}
        self.vault.ledger.append([Draft(who, Verb.POLICY_CHANGED, "", "", reason, details)])

    def _switched(self, one: Playbook) -> Playbook:
        with self.state.session() as session:
            row = session.scalar(select(SwitchRow).where(SwitchRow.playbook == one.id))
        if row is None:
            return one
        same = row.digest == one.digest
        return replace(one, enabled=same, changed=not same, enabled_by=row.who, enabled_at=row.time)

    def _read(self) -> tuple[Mapping[str, Written], dict[str, BadDocument]]:
        good: dict[str, Written] = {}
        bad: dict[str, BadDocument] = {}
        for path in self._files():
            name, shipped = path.stem, path.parent == self.own
            try:
                if name in good or name in bad:
                    advice = "Give yours another name."
                    raise BadDocument(f"{path}", ["another playbook has this name"], advice)
                text = path.read_text("utf-8")
                good[name] = reading.read(text, name, self.catalogue, shipped=shipped)
            except BadDocument as error:
                bad[name if name not in good else f"{name} (yours)"] = error
            except (OSError, UnicodeDecodeError):
                bad[name] = BadDocument(f"{path}", ["it cannot be read as text"], "")
        return dict(sorted(good.items())), bad

    def _files(self) -> list[Path]:
        yours = sorted(self.folder.glob("*.y*ml")) if self.folder.is_dir() else []
        return [*sorted(self.own.glob("*.yaml")), *yours]


def path_of(text: str) -> tuple[str, str]:
    """The text and the name of a playbook in a file. Raises `Error`."""
    path = Path(text)
    try:
        return path.read_text("utf-8"), path.stem
    except (OSError, UnicodeDecodeError) as error:
        raise Error(f"{text[:200]} cannot be read as a text file.", "Check its name.") from error
