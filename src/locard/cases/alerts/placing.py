# SPDX-License-Identifier: Apache-2.0
"""Which case an alert belongs to, and why, in a sentence that stays with it."""

import re
import secrets
import time
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from locard.cases.response.settings import Responding
from locard.evidence.entries import rfc3339
from locard.model.alert import Said
from locard.state.alerts import AlertRow, AlertTarget, place
from locard.state.investigations import CaseRow

HOUR = 3_600_000_000_000


def case_of(session: Session, said: Said, rule: Responding, who: str, now: int) -> tuple[str, str]:
    """The name of the case, made when it is new, and why it is that one.

    Asked for in a transaction that is alone, so that two alerts at once open one case.
    """
    since = now - rule.within_hours * HOUR
    if rule.join == "target" and said.targets:
        keys = [place(one) for one in said.targets]
        joined = _newest(session, since, keys=keys)
        if joined is not None:
            return joined.case, _why(joined, "names one of the same resources", rule)
    if rule.join == "account" and said.account:
        joined = _newest(session, since, account=said.account)
        if joined is not None:
            return joined.case, _why(joined, f"is of account {said.account} too", rule)
    opened = session.scalar(
        select(func.count())
        .select_from(CaseRow)
        .where(CaseRow.created >= now - HOUR, CaseRow.name.startswith(f"{rule.prefix}-"))
    )
    if (opened or 0) >= rule.most_per_hour and (joined := _newest(session, now - HOUR)):
        return joined.case, (
            f"joined the newest case, for alerts have opened {opened} cases within an hour and may "
            f"open {rule.most_per_hour} (cases.most_per_hour)"
        )
    name = _name(said, rule, now)
    session.add(CaseRow(name=name, title=said.title[:200], created=time.time_ns(), created_by=who))
    session.flush()
    return name, f"opened this case: {_nothing(rule, said)}"


def _newest(
    session: Session, since: int, keys: Collection[str] = (), account: str = ""
) -> AlertRow | None:
    wanted = select(AlertRow).where(AlertRow.last >= since).order_by(AlertRow.last.desc()).limit(1)
    if keys:
        named = select(AlertTarget.alert).where(AlertTarget.key.in_(keys))
        wanted = wanted.where(AlertRow.id.in_(named))
    if account:
        wanted = wanted.where(AlertRow.account == account)
    return session.scalar(wanted)


def _why(joined: AlertRow, what: str, rule: Responding) -> str:
    at = f"{rfc3339(joined.last)[:19]}Z"
    return (
        f"joined: alert {joined.id} of {at} {what}, within {rule.within_hours} h "
        f"(cases.join: {rule.join})"
    )


def _nothing(rule: Responding, said: Said) -> str:
    if rule.join == "never":
        return "each alert opens its own (cases.join: never)"
    if rule.join == "target" and not said.targets:
        return "it names no resource by which it could join another (cases.join: target)"
    what = "names one of its resources" if rule.join == "target" else "is of its account"
    return f"no alert of the last {rule.within_hours} h {what} (cases.join: {rule.join})"


def _name(said: Said, rule: Responding, now: int) -> str:
    about = said.targets[0].id if said.targets else said.source
    about = re.sub(r"[^a-z0-9]+", "-", about.lower()).strip("-")[:20].strip("-")
    day = datetime.fromtimestamp(now / 1e9, UTC).strftime("%y%m%d")
    return f"{rule.prefix}-{day}-{about or 'alert'}-{secrets.token_hex(2)}"
