# SPDX-License-Identifier: Apache-2.0
"""Systems Manager with hosts behind it: a command of a test really runs, in a shell here.

moto says of every command that it succeeded and runs nothing. What is sent here comes from tests,
which bring stand-ins for the tools; hosts are the instances that moto has.
"""

import json
import os
import subprocess
from threading import Lock, Thread
from typing import Any
from uuid import uuid4

from tests.clouds.aws.lacking import Answer, Asked

COMMANDS: dict[str, dict[str, Any]] = {}
_ASKED: set[str] = set()
_LOCK = Lock()


def hosts(asked: Asked) -> Answer:
    """Every instance that moto has is a Linux host whose agent is online."""
    from moto.ec2.models import ec2_backends

    wanted = [one for each in json.loads(asked.body).get("Filters", ()) for one in each["Values"]]
    known = {
        name
        for account in list(ec2_backends.values())
        for backend in list(account.values())
        for reservation in backend.reservations.values()
        for name in (one.id for one in reservation.instances)
    }
    found = [
        {"InstanceId": one, "PingStatus": "Online", "PlatformType": "Linux",
         "AgentVersion": "3.3.40.0"}
        for one in wanted if one in known
    ]  # fmt: skip
    return Answer(json.dumps({"InstanceInformationList": found}))


def send(asked: Asked) -> Answer:
    """Run the lines of the command in a shell, as the document AWS-RunShellScript does."""
    said, number = json.loads(asked.body), str(uuid4())
    command = {"CommandId": number, "InstanceId": said["InstanceIds"][0], "Status": "InProgress"}
    COMMANDS[number] = command
    script = "\n".join(said["Parameters"]["commands"])

    def run() -> None:
        done = subprocess.run(
            ["sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            env={"PATH": os.environ["PATH"], "no_proxy": "127.0.0.1"},
        )
        with _LOCK:
            command["StandardOutputContent"] = done.stdout[:24_000]
            command["StandardErrorContent"] = done.stderr[:8_000]
            command["ResponseCode"] = done.returncode
            command["Status"] = "Success" if done.returncode == 0 else "Failed"

    Thread(target=run, daemon=True).start()
    return Answer(json.dumps({"Command": {"CommandId": number, "Status": "Pending"}}))


def invocation(asked: Asked) -> Answer:
    """How far it is; AWS does not know it in the first moment."""
    number = json.loads(asked.body)["CommandId"]
    found = COMMANDS.get(number)
    if found is None or number not in _ASKED:
        _ASKED.add(number)
        return Answer(json.dumps({"__type": "InvocationDoesNotExist"}), "400 Bad Request")
    with _LOCK:
        return Answer(json.dumps(found))


ANSWERS = {
    "ssm:DescribeInstanceInformation": hosts,
    "ssm:Send(Command)": send,
    "ssm:Get(CommandInvocation)": invocation,
}
"""Two of the names are written so that they stand beside those of `commands.py`, which are asked
first and leave alone what is not theirs."""
