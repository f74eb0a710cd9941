# SPDX-License-Identifier: Apache-2.0
"""ECS's protection of tasks, with the failure that it answers for a task of no service."""

import json
import time
from datetime import UTC, datetime

from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.server import ACCOUNT, REGION

UNTIL: dict[str, float] = {}
"""Protected tasks, and until when in seconds since 1970."""


def protection(asked: Asked) -> Answer:
    """Get and update."""
    from moto.ecs.models import ecs_backends

    given, tasks, failures = json.loads(asked.body), [], []
    for name in given["tasks"]:
        found = ecs_backends[ACCOUNT][REGION].describe_tasks(given["cluster"], [name])
        arn = found[0].task_arn if found else name
        if not found or not str(found[0].group or "").startswith("service:"):
            failures.append({"arn": arn, "reason": "TASK_NOT_VALID"})
            continue
        if "protectionEnabled" in given:
            UNTIL.pop(name, None)
            if given["protectionEnabled"]:
                UNTIL[name] = time.time() + 60 * given.get("expiresInMinutes", 120)
        one: dict[str, object] = {"taskArn": arn, "protectionEnabled": name in UNTIL}
        if name in UNTIL:
            one["expirationDate"] = int(datetime.fromtimestamp(UNTIL[name], UTC).timestamp())
        tasks.append(one)
    return Answer(
        json.dumps({"protectedTasks": tasks, "failures": failures}),
        kind="application/x-amz-json-1.1",
    )


ANSWERS = {"ecs:(Get|Update)TaskProtection": protection}
