# SPDX-License-Identifier: Apache-2.0
"""A checkpoint now, and a time stamp on each one that waits for it.

Nothing waits for an authority but whoever asks for this. When it cannot be reached, work goes on:
the gap lies beside the checkpoint and is an entry, and making it good later is one, too.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from locard.evidence.authority import Authority, Unstamped
from locard.evidence.ending import ITSELF
from locard.evidence.entries import Draft
from locard.evidence.ledger import Ledger
from locard.model.custody import Hand, Verb
from locard.model.errors import Error
from locard_verify.stamp import Stamp

READING = (Verb.OPENED, Verb.VIEWED, Verb.SEARCHED, Verb.DOWNLOADED, Verb.VERIFIED)
"""Verbs that change nothing: a command that only reads makes no checkpoint when it ends."""
AGAIN = 60
"""Seconds for which an authority that could not be reached is left alone, unless asked for."""


RECENT = 200
"""Entries about the installation among which a token that is noted already is looked for."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """What became of it."""

    checkpoint: int
    """The size of the newest checkpoint."""
    stamped: int = 0
    waiting: int = 0
    why: str = ""
    """Why tokens are missing, as a clause."""


class Stamping:
    """Stamps one ledger. Safe between threads and processes; one of them asks the authority."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._asking = Lock()

    def checkpoint(self, *, patient: bool = False, closing: bool = False) -> Stamped:
        """A checkpoint when something new happened, and a token for each that waits.

        An authority that has just failed is asked again only when `patient`. For `closing`, that
        evidence was only read is left to the next checkpoint.
        """
        newest = self.ledger.checkpoint(READING if closing else ())
        with self._alone() as alone:
            waiting = self.ledger.checkpoints.waiting()
            authority = self.ledger.authorities.current() if waiting and alone else None
            if authority is None:
                return Stamped(newest, 0, len(waiting))
            if not patient and self._tried(waiting):
                return Stamped(newest, 0, len(waiting), "it was asked a moment ago")
            return self._stamp(authority, newest, waiting)

    def set(self, authority: Authority | None, hand: Hand, reason: str, *, test: bool) -> str:
        """Ask this authority from now on, or none. Who signs its tokens.

        `test` asks it for one first. Raises `Error` that says what is wrong with it.
        """
        signer = ""
        if authority is not None and test:
            try:
                signer = authority.ask(b"a trial before this authority is used\n")[1].authority
            except Unstamped as error:
                raise Error(
                    f"The time-stamping authority {authority.url} cannot be used: {error}.",
                    _advice(str(error)),
                ) from error
        details = {"url": authority.url if authority else ""}
        if authority is not None:
            details |= {"roots": " ".join(authority.digests), "signer": signer}
        self.ledger.authorities.keep(authority)
        self.ledger.append([Draft(hand, Verb.AUTHORITY_SET, "", "", reason, details)])
        return signer

    def _tried(self, waiting: list[int]) -> bool:
        said = str(self.ledger.checkpoints.why(waiting[0]).get("time", ""))
        then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - AGAIN))
        return said > then and not self._fresh(waiting[0])

    def _fresh(self, size: int) -> bool:
        return str(self.ledger.checkpoints.why(size).get("why", "")) == "it was not asked yet"

    def _stamp(self, authority: Authority, newest: int, waiting: list[int]) -> Stamped:
        kept, done = self.ledger.checkpoints, 0
        for size in waiting:
            fresh, note = self._fresh(size), kept.note(size)
            try:
                response, found = self._held(authority, size, note) or authority.ask(note)
            except Unstamped as error:
                self._missed(authority, size, str(error), fresh)
                return Stamped(newest, done, len(waiting) - done, str(error))
            since = "" if fresh else str(kept.why(size).get("since", ""))
            kept.token(size, response)
            self._noted(authority, size, response, found, since)
            kept.made_good(size)
            done += 1
        return Stamped(newest, done, 0)

    def _held(self, authority: Authority, size: int, note: bytes) -> tuple[bytes, Stamp] | None:
        """The token that a crash left unnoted, or its gap unremoved."""
        response = self.ledger.checkpoints.held(size)
        try:
            return (response, authority.check(response, note)) if response else None
        except Unstamped:
            return None

    def _missed(self, authority: Authority, size: int, why: str, fresh: bool) -> None:
        self.ledger.checkpoints.gap(size, authority.url, why)
        if fresh:
            details = {"checkpoint": str(size), "authority": authority.url, "why": why}
            reason = f"no time stamp for the checkpoint of {size:,} entries: {why}"
            draft = Draft(ITSELF, Verb.TIME_STAMP_MISSED, "", "", reason, details)
            self.ledger.append([draft])

    def _noted(
        self, authority: Authority, size: int, response: bytes, found: Stamp, since: str
    ) -> None:
        details = {
            "checkpoint": str(size),
            "token": sha256(response).hexdigest(),
            "time": f"{found.time:%Y-%m-%dT%H:%M:%SZ}",
            "serial": str(found.serial),
            "signer": found.authority,
            "authority": authority.url,
        }
        for entry in self.ledger.newest(case="", limit=RECENT):
            if entry.verb is Verb.TIME_STAMPED and entry.details.get("token") == details["token"]:
                return
        reason = f"time stamp for the checkpoint of {size:,} entries"
        if since:
            reason += f", which was missing since {since}"
        self.ledger.append([Draft(ITSELF, Verb.TIME_STAMPED, "", "", reason, details)])

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether this thread is the one that asks; nobody waits for another's asking."""
        if not self._asking.acquire(blocking=False):
            yield False
            return
        try:
            with (self.ledger.folder / "asking.lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    yield False
                else:
                    yield True
        finally:
            self._asking.release()


def _advice(why: str) -> str:
    if "order that DER asks for" in why:
        return (
            "It must sort the certificates that it puts into a token, or send only the one that "
            "signs (OpenSSL: leave `certs` out of the section [tsa]). Or choose another authority."
        )
    if "reached" in why or "HTTP" in why:
        return "Check its address and the network, then try again."
    return "Check that --roots holds the certificate that its tokens lead to."
