# SPDX-License-Identifier: Apache-2.0
"""Commands that SSM runs on an instance: here they run on this machine, those alone that connect.

A command that is not one of Locard's tries to connect is refused, so that nothing else ever runs.
"""

import json
import re
import subprocess

from tests.clouds.aws.lacking import Answer, Asked

KIND = "application/x-amz-json-1.1"
TRY = re.compile(
    r"timeout \d+ bash -c '</dev/tcp/[0-9a-f.:]+/\d+' 2>/dev/null && echo '[0-9a-f.:]+ port \d+'"
)
SAID: dict[str, str] = {}
_ASKED: set[str] = set()


def sent(asked: Asked) -> Answer | None:
    """Run it, and keep what it says."""
    given = json.loads(asked.body)
    lines = given.get("Parameters", {}).get("commands", [])
    if not lines or not all(one == "true" or TRY.fullmatch(one) for one in lines):
        return None
    ran = subprocess.run(
        ["bash", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60, check=False
    )
    number = f"c0ffee00-0000-4000-8000-{len(SAID):012}"
    SAID[number] = ran.stdout
    return Answer(json.dumps({"Command": {"CommandId": number, "Status": "Pending"}}), kind=KIND)


def told(asked: Asked) -> Answer | None:
    """What it said; AWS does not know the command in the first moment."""
    given = json.loads(asked.body)
    if given["CommandId"] not in SAID:
        return None
    if given["CommandId"] not in _ASKED:
        _ASKED.add(given["CommandId"])
        return Answer(json.dumps({"__type": "InvocationDoesNotExist"}), "400 Bad Request", KIND)
    said = {**given, "Status": "Success", "StandardOutputContent": SAID[given["CommandId"]]}
    return Answer(json.dumps(said), kind=KIND)


ANSWERS = {"ssm:SendCommand": sent, "ssm:GetCommandInvocation": told}
