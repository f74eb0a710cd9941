# SPDX-License-Identifier: Apache-2.0
"""Whether it is silent, by signals that are not the word of the API that made the change.

Flow logs are what the network itself saw; a probe is what somebody outside sees. Each says what it
is and what it saw, and that it is not available where it is not: silence that nobody listened to is
no proof.
"""

import socket
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.found import until
from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

USUAL = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "
    "${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
"""The format of flow logs for which none was said."""
MOST = 20_000
"""Records that are read of flow logs at one look."""
NAMED = 5
PATIENCE = 3.0
"""Seconds that a probe waits for an answer."""


class Flows:
    """Flow logs show nothing that was let through since. Arguments: `interfaces`, `logs`, `why`."""

    def begin(self, cloud: "Cloud", step: Step, outcomes: Mapping[str, Json]) -> Json:
        """The moment after the last change, by AWS's clock."""
        return {"since": cloud.now()}

    def look(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """What VPC flow logs have of windows that began after that moment.

        A window that began before may hold what was let through before, so it does not count.
        """
        if not step.arguments["logs"]:
            return Verdict(None, "VPC flow logs", f"not available: {step.arguments['why']}")
        since = datetime.fromisoformat(prior["since"]).timestamp()
        seen, through = 0, Counter[str]()
        for log in step.arguments["logs"]:
            for record in self._records(cloud, step, log, since):
                seen += 1
                if record.get("action") == "ACCEPT":
                    ends = f"{record.get('srcaddr')} to {record.get('dstaddr')}"
                    through[f"{ends} port {record.get('dstport')}"] += 1
        if through:
            most = "; ".join(f"{one} ({number})" for one, number in through.most_common(NAMED))
            detail = f"{through.total()} of {seen} records were let through since: {most}"
            return Verdict(False, "VPC flow logs", detail)
        if not seen:
            detail = "nothing since yet: they come up to 15 minutes late; look again later"
            return Verdict(None, "VPC flow logs", detail)
        return Verdict(True, "VPC flow logs", f"{seen} records since, nothing was let through")

    def _records(
        self, cloud: "Cloud", step: Step, log: Mapping[str, Json], since: float
    ) -> Iterable[dict[str, str]]:
        names = [one.strip("${}") for one in (log["format"] or USUAL).split()]
        read = 0
        for eni in step.arguments["interfaces"]:
            events = cloud.pages(
                "logs:FilterLogEvents", "events", logGroupName=log["group"],
                logStreamNamePrefix=eni, startTime=int(since * 1000),
            )  # fmt: skip
            for event in events:
                read += 1
                if read > MOST:
                    return
                found = dict(zip(names, str(event["message"]).split(), strict=False))
                start = found.get("start", "")
                known = start.isdecimal() and found.get("interface-id", eni) == eni
                if known and int(start) >= since:
                    yield found


class Probe:
    """Nothing answers any more where something answered before. Arguments: `places`, `source`.

    `source` is empty for this machine, or an instance whose SSM agent tries for us; `before` is set
    for the first of the two probes, which only remembers.
    """

    def begin(self, cloud: "Cloud", step: Step, outcomes: Mapping[str, Json]) -> Json:
        """Where something answers before anything is changed; later, what the first one saw."""
        if step.arguments["before"]:
            return {"answered": self._answers(cloud, step)}
        return {"answered": outcomes["probe:before"]["answered"]}

    def look(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """Whether something answers now."""
        here = f"from {step.arguments['source'] or 'this machine'}"
        signal = f"connections of TCP {here}"
        answered = prior["answered"]
        if step.arguments["before"]:
            detail = f"answered before: {', '.join(answered) or 'nothing'}"
            return Verdict(None, signal, detail)
        now = self._answers(cloud, step)
        if now:
            return Verdict(False, signal, f"it answers at {', '.join(now)}")
        if not answered:
            return Verdict(None, signal, "nothing answered before either, so that proves nothing")
        return Verdict(True, signal, f"nothing answers; before, {', '.join(answered)} did")

    def _answers(self, cloud: "Cloud", step: Step) -> list[str]:
        places = [(str(one[0]), int(one[1])) for one in step.arguments["places"]]
        if step.arguments["source"]:
            return _told(cloud, step.arguments["source"], places)
        with ThreadPoolExecutor(16) as pool:
            found = pool.map(_answers, places)
            return [
                f"{one[0]} port {one[1]}" for one, yes in zip(places, found, strict=True) if yes
            ]


def _answers(place: tuple[str, int]) -> bool:
    try:
        socket.create_connection(place, timeout=PATIENCE).close()
    except OSError:
        return False
    return True


def _told(cloud: "Cloud", source: str, places: list[tuple[str, int]]) -> list[str]:
    """What the shell of another instance can connect to. Addresses and ports are AWS's own words,
    and are checked by their types before they are written into a command."""
    lines = [
        f"timeout {PATIENCE:.0f} bash -c '</dev/tcp/{one}/{port}' 2>/dev/null "
        f"&& echo '{one} port {port}'"
        for one, port in places
        if _address(one)
    ]
    sent = cloud.call(
        "ssm:SendCommand", InstanceIds=[source], DocumentName="AWS-RunShellScript",
        Comment="Locard: does an isolated instance answer?",
        Parameters={"commands": [*lines, "true"]},
    )["Command"]["CommandId"]  # fmt: skip
    said: dict[str, Json] = {}

    def ended() -> bool:
        try:
            said.update(cloud.call("ssm:GetCommandInvocation", CommandId=sent, InstanceId=source))
        except Missing:
            return False  # the agent has not taken it yet
        return said["Status"] not in ("Pending", "InProgress", "Delayed")

    time.sleep(min(1.0, PATIENCE))
    until(ended, f"The probe from {source}")
    if said["Status"] != "Success":
        raise Conflict(f"The probe from {source} ended as {said['Status']}.", "Probe from here.")
    wanted = {f"{one} port {port}" for one, port in places}
    return [line for line in str(said["StandardOutputContent"]).splitlines() if line in wanted]


def _address(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except OSError:
            continue
        return True
    return False
