# SPDX-License-Identifier: Apache-2.0
"""The desk: everything a door may ask for. Doors decide nothing; the desk writes who did what.

desk = Desk(settings.from_environment())
desk.add("intrusion", [Path("evidence/")], who="ana")
desk.timeline.count(desk.search("intrusion", "action:StopLogging", who="ana"))
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import select

from locard.cases import holdings, settling, wishes
from locard.cases.adding import Added, Adding
from locard.cases.ahead import SMALLEST
from locard.cases.asking import Reading
from locard.cases.background import Background, beside
from locard.cases.held import Held
from locard.cases.holdings import Item, Totals
from locard.cases.intake import UPLOADING, Intake, Taken, Wish, uploaded
from locard.cases.looking import require
from locard.cases.offices import Offices
from locard.cases.placement import Placement
from locard.cases.progress import Progress, jobs
from locard.cases.receiving import Sent, handed_over
from locard.cases.signer import signer
from locard.cases.trail import Trail
from locard.cases.unfinished import waiting
from locard.evidence import Vault
from locard.evidence.checkpoints import Pace
from locard.model.custody import Hand
from locard.model.errors import Conflict, Error, Missing
from locard.model.evidence import printable
from locard.parsers.contract import Limits
from locard.parsers.pool import Pool
from locard.settings import Settings, from_environment, limited
from locard.state.database import State, open_state
from locard.state.investigations import CaseRow
from locard.timeline import Timeline, connect

if TYPE_CHECKING:
    from locard.cases.proof import Proof, Step

CASE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Case:
    """A case with what it holds."""

    name: str
    title: str
    created: int
    """UTC nanoseconds."""
    created_by: str
    simulated: bool
    totals: Totals


class Desk(Offices, Reading, Held):
    """One installation: settings, state, vault and timeline together."""

    def __init__(self, settings: Settings, limits: Limits | None = None) -> None:
        self.settings = settings
        self.limits = limits or settings.limits
        self.placement = Placement(settings)
        pace = Pace(settings.checkpoint_entries, settings.checkpoint_minutes * 60)
        self.vault = Vault(settings.vault, self.placement, signer(settings), pace)
        self.vault.ledger.require_form()
        self.state: State = open_state(settings.state)
        self.trail = Trail(self.vault.ledger)
        self._connecting = Lock()
        self.background = Background(settings.home)

    @classmethod
    def at(cls, home: Path) -> "Desk":
        """The desk of the installation in `home`."""
        return cls(from_environment({"LOCARD_HOME": str(home)}))

    @cached_property
    def timeline(self) -> Timeline:
        """The timeline store, started when nobody has started it."""
        with self._connecting:
            return connect(self.settings.timeline)

    @cached_property
    def confinement(self) -> str:
        """Which walls stand around the parsing workers here, in one line; starts one to ask it."""
        with Pool(1, self.settings.scratch, self.limits) as pool:
            return pool.confinement().describe()

    def begin_verifying(self, case: str, *, who: Hand) -> None:
        """Verify a case in a process of its own. Raises `Conflict` while one is at it."""
        self.case(case)
        self.verifying.require_none(case)
        self.background.run(["case", "verify", case], who)

    def begin_disposing(self, case: str, number: int, *, who: Hand) -> None:
        """Carry out a disposal that was agreed to, in a process of its own."""
        self.background.run(["case", "agree", case, str(number), "--yes"], who)

    def wait(self) -> None:
        """Wait until the runs that were begun here have ended."""
        self.background.wait()

    def close(self) -> None:
        """Let go of state and store, and of runs that were begun here; those go on."""
        self.background.close()
        if "response" in vars(self):
            self.response.close()
        if "timeline" in vars(self):
            self.timeline.close()
        if "entrance" in vars(self):
            self.entrance.settle(everything=True)
        self.trail.settle()
        self.checkpoints.close()
        self.vault.ledger.close()
        self.state.close()

    # Cases

    def create(
        self, name: str, title: str = "", *, who: Hand | str, simulated: bool = False
    ) -> Case:
        """Make a case; a user who makes it through page or API is its administrator from then on.

        Raises `Conflict` when it exists and `Error` for a name that will not do.
        """
        if not CASE_NAME.fullmatch(name):
            raise Error(
                f"{name!r} cannot be the name of a case.",
                "Use lower-case letters, digits, dots, dashes and underscores, 64 at most.",
            )
        with self.state.session(alone=True) as session:
            if session.get(CaseRow, name) is not None:
                raise Conflict(f"There is a case called {name} already.")
            session.add(
                CaseRow(
                    name=name,
                    title=title or name,
                    created=time.time_ns(),
                    created_by=Hand.of(who).name,
                    simulated=simulated,
                )
            )
            session.flush()
            self.people.made_case(session, name, Hand.of(who))
        return self.case(name)

    def case(self, name: str) -> Case:
        """The case of that name. Raises `Missing`."""
        with self.state.session() as session:
            row = holdings.find_case(session, name)
        return self._case(row)

    def has_case(self, name: str) -> bool:
        """Whether there is a case of that name."""
        with self.state.session() as session:
            return session.get(CaseRow, name) is not None

    def cases(self) -> list[Case]:
        """All cases, the newest first."""
        with self.state.session() as session:
            rows = session.scalars(select(CaseRow).order_by(CaseRow.created.desc())).all()
        return [self._case(row) for row in rows]

    def _case(self, row: CaseRow) -> Case:
        return Case(
            name=row.name,
            title=row.title,
            created=row.created,
            created_by=row.created_by,
            simulated=row.simulated,
            totals=holdings.totals(self.state, row.name),
        )

    # Adding

    def add(
        self,
        case: str,
        paths: Sequence[Path],
        *,
        who: Hand | str,
        wish: Wish | None = None,
        begun: Callable[[Progress], None] = lambda _progress: None,
    ) -> Added:
        """Add evidence to a case, which is made when it is new, and parse all that waits in it.

        Without paths what an interrupted run left is finished. `begun` is handed the progress.
        Raises `Missing` for a path or parser that does not exist, before anything is changed.
        """
        wish, hand = wishes.judged(self.state, self.limits, wish), Hand.of(who)
        require(paths)
        if paths:
            self.vault.prepare()
        made = self._ensure(case, hand)
        beside(lambda: self.timeline)  # starting takes as long as many a file takes to come in
        what = _what(paths)

        def run(adding: Adding, progress: Progress) -> tuple[Added, Taken | None]:
            begun(progress)
            feed = adding.feed(paths, wish, progress) if paths else None
            added = adding.parse(progress, feed=feed)
            return added, feed.taken if feed is not None else None

        return self._adding(case, hand, wish, what, made, run)

    def _adding(
        self,
        case: str,
        hand: Hand,
        wish: Wish,
        what: str,
        made: bool,
        run: Callable[[Adding, Progress], tuple[Added, Taken | None]],
    ) -> Added:
        """One run, which takes in and parses, and what it says of itself."""
        progress = Progress(self.state, case, what, hand.name)
        state = "failed"
        try:
            with Adding(
                self.settings,
                self.state,
                self.vault,
                lambda: self.timeline,
                case,
                hand,
                limited(self.limits, wish.limits),
                self.mappings(),
            ) as adding:
                added, taken = run(adding, progress)
            if taken is not None:
                added.files, added.new_files = taken.files, taken.new
                added.known_files = taken.known
                added.passed_over = taken.passed + added.passed_over
                added.unread, added.empty = taken.denied, taken.empty
                added.changed = taken.changed
                added.renewed_files = taken.renewed
            added.made = made
            progress.summary = {
                "events": added.events,
                "problems": added.problems,
                "failed": len(added.failed) + len(added.damaged),
            }
            if why := self.checkpoints.checkpoint().why:
                progress.log(f"The ledger's checkpoint has no time stamp yet: {why}.")
            state = "done"
            return added
        except Error as error:
            progress.log(error.message)
            raise
        finally:
            progress.finish(state)

    def receive(
        self,
        case: str,
        stream: BufferedReader,
        name: str,
        *,
        who: Hand | str,
        wish: Wish | None = None,
        size: int | None = None,
        modified: int | None = None,
    ) -> Item:
        """Take an upload into the vault and begin to parse it in a process of its own.

        What is worth it, when it is known to have `size` bytes, is parsed there while it comes in.
        `modified` is when its file was changed where it was, in UTC nanoseconds.
        """
        self.case(case)
        wish, hand = wishes.judged(self.state, self.limits, wish), Hand.of(who)
        if size is not None and size >= SMALLEST:
            sent = Sent(case, name, size, wish, modified)
            if evidence := handed_over(self.background, stream, sent, hand):
                return holdings.item(self.state, case, evidence)
        self.vault.prepare()
        origin = uploaded(name, hand, modified)
        intake = Intake(self.state, self.vault, case, hand, wish)
        put = intake.put(stream, origin, UPLOADING)
        intake.register(put, origin, 0)
        intake.flush()
        self.resume(case, who=who)
        return holdings.item(self.state, case, put.evidence.id)

    def take_in(
        self, sent: Sent, stream: BufferedReader, *, who: Hand, held: Callable[[str], None]
    ) -> Added:
        """Take in what another process of ours is sent, and parse it meanwhile.

        `held` is told the evidence id when it is in the vault.
        """
        self.case(sent.case)
        wish = wishes.judged(self.state, self.limits, sent.wish)
        origin = uploaded(sent.name, who, sent.modified)
        beside(lambda: self.timeline)

        def run(adding: Adding, progress: Progress) -> tuple[Added, Taken | None]:
            taken, evidence = adding.receive(stream, origin, sent.size, wish, progress)
            held(evidence)
            return adding.parse(progress, taken), taken

        what = f"Adding {printable(origin.name)}"
        return self._adding(sent.case, who, wish, what, False, run)

    def resume(self, case: str, *, who: Hand | str) -> bool:
        """Begin to parse what waits in a case, unless a run is at it. Says whether one began."""
        if not waiting(self.state, case) and not settling.left(self.settings.home, case):
            return False
        return self._begin(case, Hand.of(who))

    def restore(self, *, who: Hand | str) -> list[str]:
        """Begin to read again what the timeline has lost, in every case; the cases where it began.

        Not part of `resume`, which waits for no store.
        """
        return [case for case in self.lacking() if self._begin(case, Hand.of(who))]

    def _begin(self, case: str, who: Hand) -> bool:
        """Begin a run that parses what waits, unless one is at it."""
        from locard.cases.bundle.bundles import EXPORTING
        from locard.cases.response.conductor import RESPONDING
        from locard.cases.verifying import VERIFYING

        running = (job for job in jobs(self.state, case, limit=5) if job.state == "running")
        if any(not job.what.startswith((EXPORTING, VERIFYING, *RESPONDING)) for job in running):
            return False
        self.background.begin(case, who)
        return True

    def _ensure(self, case: str, who: Hand | str) -> bool:
        try:
            self.case(case)
        except Missing:
            try:
                self.create(case, who=who)
            except Conflict:
                return False  # another run made it in this moment
            return True
        return False

    def save_mapping(self, name: str, found: object, *, who: Hand | str) -> None:
        """Keep a mapping for the generic parsers. Raises `BadMapping` that names every fault."""
        wishes.save_mapping(self.state, name, found, Hand.of(who).name)

    def mappings(self) -> dict[str, dict[str, object]]:
        """The mappings that people saved, by name."""
        return wishes.mappings_of(self.state)

    def prove(
        self,
        event: str,
        *,
        who: Hand | str,
        case: str | None = None,
        watch: "Callable[[Step], None]" = lambda _step: None,
    ) -> "Proof":
        """Prove a row back to its bytes.

        Raises `Missing` when there is no such event, and `Conflict` while its evidence comes in.
        """
        from locard.cases.proof import Prover

        prover = Prover(self.settings, self.state, self.vault, self.limits, self.mappings(), watch)
        return prover.prove(self.settled(event, case), who)


def _what(paths: Sequence[Path]) -> str:
    if not paths:
        return "Finishing what waits"
    names = ", ".join(printable(path.name or str(path)) for path in paths[:3])
    return f"Adding {names}" + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
