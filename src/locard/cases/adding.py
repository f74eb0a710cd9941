# SPDX-License-Identifier: Apache-2.0
"""Adding evidence to a case, from what a person named to rows that can be searched."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Self

from locard.cases import copies, digests, settling
from locard.cases.ahead import Ahead
from locard.cases.arriving import arriving, tidy
from locard.cases.feed import Check, Feed, Queued
from locard.cases.intake import UPLOADING, Intake, Taken, Wish
from locard.cases.looking import look
from locard.cases.outcomes import Trouble, passed_over, read, troubles
from locard.cases.parsing import Parsing
from locard.cases.progress import Behind, Progress
from locard.cases.turns import alone
from locard.cases.unfinished import lost, waiting
from locard.cases.writing import Outcome, Tally, Writer
from locard.evidence import Draft, Vault
from locard.evidence.spool import Readable
from locard.model.custody import Hand, Verb
from locard.model.evidence import Origin
from locard.parsers import catalogue
from locard.parsers.contract import Limits
from locard.parsers.pool import Pool, WorkerLost
from locard.settings import Settings
from locard.state import marks
from locard.state.database import State
from locard.state.investigations import Stage
from locard.timeline import Excerpts, Search, Timeline

REASONS = 20
"""Files whose first problem is looked up in the timeline, to be told."""


@dataclass(slots=True)
class Added:
    """What adding did, in numbers that add up."""

    case: str
    made: bool = False
    """Whether the case was new."""
    files: int = 0
    new_files: int = 0
    known_files: int = 0
    events: int = 0
    """Rows that the timeline did not have."""
    known_events: int = 0
    """Rows that it had already, from the same place."""
    sighted_events: int = 0
    """Records that it had from another place, which is now named too."""
    seen: int = 0
    """Records that were read, also by another run."""
    problems: int = 0
    read_elsewhere: int = 0
    """Files that another run in the case read before this one had its turn: `events` has none of
    their rows."""
    seen_elsewhere: int = 0
    """Those of `seen` that the other run read."""
    renewed_files: int = 0
    """Known files that were read in another way than before: their rows are replaced."""
    restored_files: int = 0
    """Files whose rows the timeline had lost: they are read again."""
    passed_over: list[str] = field(default_factory=list)
    """What is no file of its own, such as a link, with the reason."""
    unread: list[str] = field(default_factory=list)
    """What could not be opened or read to its end, with the reason; none of it was kept."""
    changed: list[str] = field(default_factory=list)
    """Files that became others while they were read, with what is kept of them."""
    not_parsed: list[Trouble] = field(default_factory=list)
    failed: list[Trouble] = field(default_factory=list)
    damaged: list[Trouble] = field(default_factory=list)
    """Files that were read in part: cut short, broken, stopped at a limit, or with bad records."""
    empty: list[str] = field(default_factory=list)
    """Files without a byte, and folders without a file, that were named themselves."""
    digests: list[str] = field(default_factory=list)
    """What checking CloudTrail digests against their logs found."""
    altered: int = 0
    """Digests by which a log, or the digest before, was changed after AWS delivered it."""
    confinement: str = ""

    @property
    def whole(self) -> bool:
        """Whether all of it was read in full, but for files that are of no known kind."""
        return not (self.failed or self.damaged or self.unread or self.empty or self.changed)


WAITING = "Waiting for another run in this case"


class Adding:
    """One run of adding: intake, parsing, index, checks."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        vault: Vault,
        timeline: Callable[[], Timeline],
        case: str,
        who: Hand,
        limits: Limits,
        mappings: Mapping[str, dict[str, object]],
    ) -> None:
        self.settings, self.state, self.vault = settings, state, vault
        self.timeline, self.case, self.who = timeline, case, who
        self.limits, self.mappings = limits, mappings
        self._pool: Pool | None = None
        self.ahead = Ahead(
            settings.home,
            state,
            vault,
            case,
            self.pool,
            timeline,
            settings.scratch,
            limits,
            mappings,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ahead.close()
        if self._pool is not None:
            self._pool.close()

    def pool(self) -> Pool:
        """The workers of this run; one starts when it is needed."""
        if self._pool is None:
            self._pool = Pool(self.settings.workers, self.settings.scratch, self.limits)
        return self._pool

    def feed(self, paths: Sequence[Path], wish: Wish, progress: Progress) -> Feed:
        """What puts everything below `paths` into the vault and registers it, for `parse`."""
        pool = self.pool()

        def take(queued: Queued, check: Check) -> Taken:
            progress.stage("Looking", 0, "files")
            found = look(paths, self.settings.home)
            self.vault.prepare()
            pool.prepare(len(found.files))  # they start meanwhile
            progress.stage("Taking in", sum(file.size for file in found.files), "bytes")

            def watch(count: int) -> None:
                check()
                progress.advance(count)

            at = self.state, self.vault, self.case, self.who
            taken = Intake(*at, wish, queued, self.ahead, found.hosts).take(found.files, watch)
            taken.passed, taken.denied = found.passed, found.denied + taken.denied
            taken.empty = found.empty + taken.empty
            return taken

        return Feed(take)

    def receive(
        self, stream: Readable, origin: Origin, size: int, wish: Wish, progress: Progress
    ) -> tuple[Taken, str]:
        """Take in what is sent here, `size` bytes, and parse it meanwhile; its evidence id too."""
        self.vault.prepare()
        progress.stage("Taking in", size, "bytes")
        intake = Intake(self.state, self.vault, self.case, self.who, wish, ahead=self.ahead)
        first = stream.peek(1) if isinstance(stream, BufferedReader) else b""
        wanted = size if self.ahead.worth(first, size, origin.name) else None
        put = intake.scouted(stream, origin, UPLOADING, progress.advance, wanted)
        intake.register(put, origin, 0)
        intake.flush()
        return intake.taken, put.evidence.id

    def _processed(self, outcomes: list[tuple[str, Outcome]]) -> None:
        """The ledger says by which parser evidence was read, and what came of it."""
        drafts = []
        for evidence, one in outcomes:
            details = {"parser": f"{one.parser} {one.parser_version}".strip() or one.kind}
            details |= {"outcome": one.stage.value, "rows": str(one.rows)}
            details |= {"problems": str(one.problems)} if one.problems else {}
            reason = f"{one.stage.value}: {one.rows:,} rows" if one.parser else one.stage.value
            drafts.append(Draft(self.who, Verb.PROCESSED, evidence, self.case, reason, details))
        self.vault.ledger.append(drafts, durable=False)

    def parse(
        self, progress: Progress, taken: Taken | None = None, feed: Feed | None = None
    ) -> Added:
        """Parse whatever the case holds unparsed, with one such run in a case at a time.

        What `feed` takes in is parsed while it does. While another run has the case it only takes
        in. Troubles are told of what this run parsed and of what it took in, by `feed` or `taken`
        before, with all that was taken out of it.
        """
        added = Added(self.case)

        def came() -> Taken:
            return feed.taken if feed is not None else taken or Taken()

        def busy() -> None:
            if feed is not None:
                feed.here()
            progress.stage(WAITING, 0, "")

        with alone(self.settings.home, self.case, busy):
            left = waiting(self.state, self.case)
            theirs = read(self.state, self.case, came().queued.difference(left))
            unsettled = settling.begin(self.settings.home, self.case)
            if feed is not None:
                feed.start()
            try:
                tally = self._parse(progress, left, feed, added)
            finally:
                if feed is not None:
                    feed.stop()
            roots = {*left, *came().holdings}
            added.events = tally.new
            added.known_events = tally.known
            added.sighted_events = tally.sighted
            folded = self._fold() if added.events or unsettled else 0
            folded += copies.settle(self.state, self.vault, self.timeline(), self.case, self.who)
            if added.events or folded or unsettled:
                added.sighted_events += folded
                added.events = max(0, added.events - folded)
                progress.stage("Building the text index", 0, "")
                self.timeline().index(self.case)
            settling.over(self.settings.home, self.case)
            added.seen = theirs.seen + tally.seen
            added.problems = theirs.problems + tally.problems
            added.read_elsewhere, added.seen_elsewhere = theirs.files, theirs.seen
            checked = digests.check(self.state, self.case)
            added.digests = [one.line for one in checked]
            added.altered = sum(one.altered for one in checked)
        for trouble in troubles(self.state, self.case, roots):
            if trouble.stage == Stage.FAILED:
                added.failed.append(trouble)
            elif trouble.problems:
                added.damaged.append(trouble)
            else:
                added.not_parsed.append(trouble)
        added.passed_over = passed_over(self.state, self.case, roots)
        for trouble in added.damaged[:REASONS]:
            trouble.reason = trouble.reason or self._first_problem(trouble.evidence)
        return added

    def _parse(
        self, progress: Progress, left: Sequence[int], feed: Feed | None, added: Added
    ) -> Tally:
        """Parse what was left and what is fed."""
        timeline = self.timeline()
        gone = lost(self.state, self.case, timeline)
        added.restored_files = len(gone)
        tidy(self.settings.home, self.case)
        timeline.clear(
            self.case, lambda: {one.name for one in arriving(self.settings.home, self.case)}
        )
        writer = Writer(timeline, self.state, self.case, self._processed)
        try:
            Parsing(
                self.state,
                self.vault,
                self.pool(),
                writer,
                Behind(progress, "Parsing", "bytes"),
                self.case,
                self.who,
                self.limits,
                self.mappings,
                self.ahead,
            ).run(self.settings.workers, [*left, *gone], feed)
            with suppress(WorkerLost):  # no worker started: each file says why
                added.confinement = self.pool().confinement().describe()
        finally:
            writer.close()
        return writer.tally

    def _fold(self) -> int:
        """Rows of tables that tell of records which are here in full become places of these."""
        with self.state.session() as session:
            kept = marks.marked(session, self.case)
        return sum(
            self.timeline().fold(self.case, Excerpts(source.id, *source.excerpt), kept)
            for source in catalogue.load()
            if source.excerpt
        )

    def _first_problem(self, evidence: str) -> str:
        """What is wrong with the first row of this evidence that has a problem."""
        wanted = Search(self.case, f"evidence:{evidence} AND _exists_:problem")
        rows = self.timeline().page(wanted, 1).rows
        return str(rows[0]["problem"]) if rows else ""
