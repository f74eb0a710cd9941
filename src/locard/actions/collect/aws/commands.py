# SPDX-License-Identifier: Apache-2.0
"""Commands on a host through Systems Manager: sent once, waited for, also after a crash."""

import json
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from locard.actions.collect.aws.requested import note_request
from locard.actions.contract import Room
from locard.model.action import Json
from locard.model.errors import Error, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PAUSE = 3.0
"""Seconds between two looks at a command."""
VALID = 3600
"""Seconds for which an address is good."""


def prefix(cloud: "Cloud") -> str:
    """Where the objects of a run are in its bucket."""
    return f"locard/{cloud.run}"


def folder(cloud: "Cloud", said: Mapping[str, Json]) -> str:
    """Where a run works on the host."""
    return f"{said['folder']}/locard-{cloud.run}"


def by_address(
    cloud: "Cloud", drop: "Cloud", room: Room, said: Mapping[str, Json], what: str, script: str
) -> str:
    """Run a script that is longer than a command may be: the host fetches it."""
    key, data = f"{prefix(cloud)}/{what}", script.encode()
    drop.answer("s3:PutObject", Bucket=said["bucket"], Key=key, Body=data)
    address = drop.presigned("s3:GetObject", VALID, Bucket=said["bucket"], Key=key)
    short = _FETCH.format(
        folder=folder(cloud, said), name=what, digest=sha256(data).hexdigest(), address=address
    )
    return command(cloud, room, said, what, short)


def command(cloud: "Cloud", room: Room, said: Mapping[str, Json], what: str, script: str) -> str:
    """Run a script on the host and wait for it: what it said. A run that is carried on waits on."""
    file = Path(room.folder) / f"command-{what}.json"
    if file.exists():
        number = str(json.loads(file.read_text())["command"])
    else:
        sent = cloud.call(
            "ssm:SendCommand", InstanceIds=[said["instance"]], DocumentName="AWS-RunShellScript",
            Comment=f"Locard {cloud.run}", TimeoutSeconds=600,
            Parameters={"commands": script.splitlines(),
                        "executionTimeout": [str(int(said["minutes"]) * 60)]},
        )  # fmt: skip
        note_request(Path(room.folder), [f"command-{what}"], cloud.requests[-1])
        number = str(sent["Command"]["CommandId"])
        file.write_text(json.dumps({"command": number}))
    while True:
        try:
            found = cloud.call(
                "ssm:GetCommandInvocation", CommandId=number, InstanceId=said["instance"]
            )
        except Missing:
            found = {"Status": "Pending"}  # the agent has not taken it yet
        if found["Status"] == "Success":
            return str(found["StandardOutputContent"])
        if found["Status"] not in ("Pending", "InProgress", "Delayed"):
            file.unlink(missing_ok=True)
            last = str(found.get("StandardErrorContent", "")).strip()[-300:]
            raise Error(
                f"The command on {said['instance']} ended as {found['Status']}: {last or 'silent'}",
                "Look at the host's memory, disk and agent, then carry the run on.",
            )
        room.progress(f"{said['instance']} is at work", 0, 1)
        time.sleep(PAUSE)


_FETCH = """set -eu
cd '{folder}'
curl -fsS --retry 3 -o '{name}' '{address}'
echo '{digest}  {name}' | sha256sum -c - >/dev/null
sh '{name}'
"""
