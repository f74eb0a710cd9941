# SPDX-License-Identifier: Apache-2.0
"""The one way in for alerts: proved, read, recorded, kept; what is said again is a sighting.

An alert is recorded when its row and its original bytes are durable. Only then is the sender told,
or its message taken out of the queue, so that whatever happens in between comes again.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from locard import __version__
from locard.cases.alerts import placing, signatures
from locard.cases.alerts.signatures import Unproved
from locard.cases.alerts.sources import MOST_BYTES, Sources
from locard.cases.intake import Intake, Wish
from locard.cases.response.settings import Responding
from locard.evidence import Vault
from locard.model.alert import Alert, Said, Unread
from locard.model.custody import Acquisition, Hand, Method
from locard.model.errors import Missing, Unreadable
from locard.model.evidence import Origin, printable
from locard.state import alerts
from locard.state.alerts import AlertRow, AlertTarget, Delivery, UnreadRow
from locard.state.database import State
from locard.state.pages import Place

REMEMBERED = 14 * 24 * 3_600_000_000_000
"""How long a delivery is remembered: as long as queues keep a message."""
MOST_KEPT = 20
"""Messages of one alert that are kept when each says something else; the newest always is."""


class Alerts:
    """The alerts of one installation."""

    def __init__(
        self,
        home: Path,
        state: State,
        vault: Vault,
        sources: Sources,
        responding: Callable[[], Responding],
    ) -> None:
        self.home, self.state, self.vault = home, state, vault
        self.sources, self.responding = sources, responding

    # What there is

    def every(
        self,
        case: str = "",
        *,
        limit: int | None = 200,
        before: Place | None = None,
        since: int | None = None,
        among: Collection[str] | None = None,
    ) -> list[Alert]:
        """Alerts of a case, of those `among`, or of all, the last that came first.

        Those after the place `before` in that list, and those alone that came last at `since`, in
        UTC nanoseconds, or later. Without a limit: all of them.
        """
        with self.state.session() as session:
            return alerts.every(session, case, limit=limit, before=before, since=since, among=among)

    def total(self, case: str = "", among: Collection[str] | None = None) -> int:
        """How many alerts there are in a case, in those `among`, or in all."""
        with self.state.session() as session:
            return alerts.total(session, case, among)

    def new(self, since: int, among: Collection[str] | None) -> int:
        """How many alerts of these cases came first after a time, in UTC nanoseconds."""
        with self.state.session() as session:
            return alerts.new(session, since, among)

    def get(self, alert: str) -> Alert:
        """The alert of that id, or of an id that begins so. Raises `Missing`."""
        with self.state.session() as session:
            return alerts.alert(alerts.row(session, alert))

    def unread(self, *, limit: int = 200, before: Place | None = None) -> Sequence[Unread]:
        """Messages that no alert could be read from, the last that came first, after a place."""
        with self.state.session() as session:
            return alerts.unread(session, limit=limit, before=before)

    def unread_place(self, number: int) -> Place:
        """Where such a message stands in their list. Raises `Missing`."""
        return self._unread(number).came, str(number)

    def unread_total(self) -> int:
        """How many different messages no alert could be read from."""
        with self.state.session() as session:
            return alerts.unread_count(session)

    def unread_body(self, number: int) -> bytes:
        """The bytes of such a message. Raises `Missing`."""
        return self._unread(number).body

    def _unread(self, number: int) -> UnreadRow:
        with self.state.session() as session:
            row = session.get(UnreadRow, number)
        if row is None:
            raise Missing(f"There is no unread message {number}.", "See: locard alert unread")
        return row

    # What comes in

    def ingest(
        self, source: str, headers: Mapping[str, str], body: bytes, address: str = ""
    ) -> list[Alert]:
        """Take a message of a webhook: the alerts that it says, recorded.

        Raises `Missing` for a source that does not exist, `Unproved` for a message that does not
        prove where it comes from, and `Unreadable` for one that says no alert, which is kept.
        """
        known = self.sources.get(source)
        proof = self.responding().proofs.get(source)
        if proof is None:
            raise Unproved(
                f"No secret is set for {source}, so nothing is taken from it.",
                "Name one in response.yaml: docs/howto/respond-to-alerts.md",
            )
        if len(body) > MOST_BYTES:
            raise Unreadable(f"The message has more than {MOST_BYTES:,} bytes.", "Send less.")
        secret, delivery = proof.secret.read(self.home), ""
        if proof.kind == "token":
            signatures.check_token(secret, headers, proof.header)
        else:
            scheme = known.signature or signatures.OURS
            given = signatures.check(secret, body, headers, scheme, time.time_ns())
            delivery = f"{source}\0{given}"
        agent = next((text for name, text in headers.items() if name.lower() == "user-agent"), "")
        who = Hand(f"webhook {source}", "automation", address, printable(agent)[:200])
        return self.take(body, who, source=source, door="webhook", place=address, sent=delivery)

    def take(
        self,
        body: bytes,
        who: Hand,
        *,
        source: str = "",
        door: str = "command line",
        place: str = "",
        sent: str = "",
        content: bytes | None = None,
    ) -> list[Alert]:
        """Take a message: the alerts that it says, recorded, with its bytes in their cases.

        `sent` tells this delivery from others: when it comes again, nothing is counted again.
        `content` is what was inside, when the bytes are wrapped. Raises `Unreadable`, and keeps
        the message all the same.
        """
        now = time.time_ns()
        delivery = hashlib.sha256(sent.encode("utf-8", "replace")).hexdigest() if sent else ""
        if delivery and (known := self._delivered(delivery)):
            return [self.get(one) for one in known]
        try:
            says = self.sources.read(body if content is None else content, now, source)
        except Unreadable as error:
            self._keep_unread(body, door, place, error.message, now)
            raise
        taken = [self._one(said, body, who, door, now) for said in says]
        if delivery:
            with self.state.session(alone=True) as session:
                session.merge(Delivery(signature=delivery, alerts=taken, time=now))
                session.execute(delete(Delivery).where(Delivery.time < now - REMEMBERED))
        return [self.get(one) for one in dict.fromkeys(taken)]

    def _delivered(self, delivery: str) -> list[str]:
        with self.state.session() as session:
            row = session.get(Delivery, delivery)
            return list(row.alerts) if row is not None else []

    def _one(self, said: Said, body: bytes, who: Hand, door: str, now: int) -> str:
        digest = hashlib.sha256(body).hexdigest()
        with self.state.session(alone=True) as session:
            row = session.get(AlertRow, said.id)
            if row is None:
                row = self._new(session, said, who, door, now)
            else:
                row.sightings += 1
                row.last = now
                if said.time >= row.time and digest not in row.evidence:
                    _say_anew(session, row, said)
            case, held = row.case, digest in row.evidence
        if not held:
            self._keep(said, body, case, who, door)
            with self.state.session(alone=True) as session:
                row = alerts.row(session, said.id)
                if digest not in row.evidence:
                    row.evidence = [*row.evidence[-MOST_KEPT:], digest]
        return said.id

    def _new(self, session: Session, said: Said, who: Hand, door: str, now: int) -> AlertRow:
        case, why = placing.case_of(session, said, self.responding(), who.name, now)
        row = AlertRow(
            id=said.id, case=case, placed=why, source=said.source, original=said.original,
            account=said.account, region=said.region, first=now, last=now, by=who.name, door=door,
        )  # fmt: skip
        _fill(row, said)
        session.add(row)
        session.flush()
        _name_targets(session, said)
        return row

    def _keep(self, said: Said, body: bytes, case: str, who: Hand, door: str) -> None:
        """The original into the vault and the case, durably."""
        self.vault.prepare()
        known = {"source": said.source, "account": said.account, "region": said.region,
                 "id": said.original[:200]}  # fmt: skip
        got = Acquisition(
            source={name: text for name, text in known.items() if text},
            method=Method(f"alert.{door.replace(' ', '-')}", __version__, "as it was sent"),
            alert=said.id,
        )
        origin = Origin(name=f"{said.source}-{said.id}.json", acquisition=got)
        intake = Intake(self.state, self.vault, case, who, Wish())
        put = intake.put(BytesIO(body), origin, f"alert {said.id}: {said.title}"[:500])
        intake.register(put, origin, 0)
        intake.flush()

    def _keep_unread(self, body: bytes, door: str, place: str, problem: str, now: int) -> None:
        digest = hashlib.sha256(body).hexdigest()
        with self.state.session(alone=True) as session:
            row = session.scalar(select(UnreadRow).where(UnreadRow.digest == digest))
            if row is not None:
                row.times += 1
                row.came, row.problem = now, problem
                return
            session.add(
                UnreadRow(digest=digest, body=body, came=now, door=door, place=place,
                          problem=problem)
            )  # fmt: skip


def _say_anew(session: Session, row: AlertRow, said: Said) -> None:
    """The alert as it is said now; playbooks are held against it again."""
    _fill(row, said)
    row.judged = False
    _name_targets(session, said)


def _fill(row: AlertRow, said: Said) -> None:
    row.kind, row.severity, row.title = said.kind, said.severity.value, said.title
    row.time, row.state, row.link = said.time, said.state.value, said.link
    row.targets = [asdict(one) for one in said.targets]
    row.content, row.notes = dict(said.content), list(said.notes)


def _name_targets(session: Session, said: Said) -> None:
    for key in dict.fromkeys(alerts.place(one) for one in said.targets):
        session.merge(AlertTarget(alert=said.id, key=key))
