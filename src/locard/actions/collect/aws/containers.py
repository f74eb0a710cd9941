# SPDX-License-Identifier: Apache-2.0
"""The inside of a running task of ECS, through ECS Exec: its processes and connections, then files.

A shell runs in each container for as long, and nothing is written there. No credential goes there:
what the shell prints comes through the session. What the plan can see to be in the way stands in
it: ECS Exec has to have been switched on before the task began.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING

from locard.actions.collect.aws import inside, sending
from locard.actions.collect.aws.inside import Answer
from locard.actions.collect.aws.procfs import Proc
from locard.actions.collect.aws.shells import acquired, asked
from locard.actions.collect.aws.streams import Stream, lines
from locard.actions.contract import Action, Keep, Option, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Error, Missing, Tampered

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

LIVE = 64 << 20
"""Bytes of the answer about processes, at most."""
SESSION = ("ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
           "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel")  # fmt: skip
"""What the agent in the task needs, by the role of the task."""


class Live:
    """What runs in a container: as /proc has it, and as lines for the timeline."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Ask once, keep what came as it came, and what it says."""
        said, moment, nonce = step.arguments, datetime.now(UTC), token_hex(8)
        command = inside.live(nonce, values=bool(said["secrets"]))
        answer = asked(cloud, step, room, command, nonce, LIVE)
        files = {name: b"".join(chunks) for name, chunks in answer.files()}
        if not any(name.endswith("/stat") for name in files):
            raise Missing(
                f"{answer.where} does not show /proc: its processes cannot be told.",
                "Take its files alone: --set live=no",
            )
        found = acquired(cloud, step, "what a shell in the container could read of /proc")
        name, proc = said["name"], Proc(files, said["container"], moment)
        raw = ({"path": f"/proc/{path}", **_shown(data)} for path, data in files.items())
        kept = keep(f"{name}-proc.jsonl", Stream(lines(raw)), found)
        told = list(proc.lines())
        derived = replace(found, covers=f"what Locard read out of {name}-proc.jsonl")
        seen = keep(f"{name}-live.jsonl", Stream(lines(told)), derived)
        counts = {meaning: sum(one["timestamp_desc"] == meaning for one in told)
                  for meaning in sorted({one["timestamp_desc"] for one in told})}  # fmt: skip
        return {"evidence": seen, "raw": kept, **counts, **_lost(answer, proc.strange)}


class Files:
    """Files that a person chose: one tar, or without tar each by itself."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Ask for them and keep what comes."""
        said, nonce = step.arguments, token_hex(8)
        paths, most = said["paths"], int(said["mib"]) << 20
        told: dict[str, Json] = {}
        if said["bucket"]:
            sent, why = sending.sent(cloud, step, keep, room)
            if not why:
                return sent
            told["not uploaded"] = why
        command = inside.files(nonce, paths)
        answer = asked(cloud, step, room, command, nonce, most * 3 // 2)
        kept: dict[str, Json] = {}
        for number, chunks in answer.files():
            if number == "tar":
                covers = f"a tar of {', '.join(paths)}"
                tar = _Whole(chunks)
                kept["tar"] = keep(f"{said['name']}.tar", tar, acquired(cloud, step, covers))
                if not tar.ended:
                    raise Tampered(
                        f"The tar of {answer.where} has no end.",
                        "It is in the vault as it came. Carry the run on to take it again.",
                    )
            elif number.isdecimal() and int(number) < len(paths):
                path = paths[int(number)]
                plain = re.sub(r"[^\w.-]", "_", path).strip("_")
                kept[path] = keep(
                    f"{said['name']}-{plain}", Stream(chunks), acquired(cloud, step, path)
                )
        gone = [paths[int(one)] for one in answer.lost if one.isdecimal() and int(one) < len(paths)]
        told |= _lost(answer, []) | ({"not collected": gone} if gone else {})
        if gone and "tar" not in kept:
            told["why"] = "Without tar in the container only plain files that can be read come."
        return {"evidence": kept, **told}


class _Whole:
    """A tar as it is read; whether it came to its end, which is zeros."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._stream, self._tail = Stream(chunks), b""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, or none at the end."""
        data = self._stream.read(size)
        self._tail = (self._tail + data)[-1024:]
        return data

    @property
    def ended(self) -> bool:
        """Whether the last 1,024 bytes are the end that every tar has."""
        return self._tail == bytes(1024)


def _shown(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"hex": data.hex()}


def _lost(answer: Answer, strange: list[str]) -> dict[str, Json]:
    """What did not come or was not read, counted and the first of it named."""
    found: dict[str, Json] = {}
    if answer.lost:
        found["unreadable"] = {"files": len(answer.lost), "first": answer.lost[:20]}
    if strange or answer.spoiled:
        found["strange"] = {"lines": answer.spoiled, "files": sorted(set(strange))[:20]}
    return found


@dataclass
class _Look:
    """What the plan saw."""

    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    role: str = ""


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """For each container what runs in it, then for each the chosen files."""
    cluster, _, number = target.id.partition("/")
    paths = inside.chosen(str(options["paths"]))
    for name in ("minutes", "mib"):
        if not str(options[name]).isdecimal() or not 0 < int(str(options[name])) <= 10_000:
            raise Error(f"{name} is a number, and not {str(options[name])[:40]!r}.")
    bucket = str(options["bucket"])
    if bucket and not sending.BUCKET.fullmatch(bucket):
        raise Error(f"{bucket[:80]!r} is no name of a bucket.")
    found = cloud.call("ecs:DescribeTasks", cluster=cluster, tasks=[number])["tasks"]
    if not found:
        raise Missing(f"There is no task {target.id} in {cloud.region}.", "It may have ended.")
    seen = _look(cloud, found[0], str(options["container"]))
    _cluster(cloud, cluster, seen)
    wanted = [("live", "See what runs in {}")] if options["live"] not in (False, "no") else []
    wanted += [("files", "Take {paths} out of {}")] if paths else []
    said = {"cluster": cluster, "task": number, "paths": paths, "secrets": options["secrets"],
            "minutes": int(str(options["minutes"])), "mib": int(str(options["mib"])),
            "bucket": bucket, "bucket_account": options["bucket_account"]}  # fmt: skip
    steps = tuple(
        Step(
            f"{kind}:{one}", title.format(one, paths=", ".join(paths)), "ecs:ExecuteCommand",
            {**said, "container": one, "name": f"{number[:8]}-{one}"}, changes=False,
        )
        for kind, title in wanted
        for one in seen.containers
    )  # fmt: skip
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), steps, refusals=tuple(seen.refusals),
        warnings=tuple(seen.warnings),
        names={"cluster": (cluster,), "role": (seen.role or "none",),
               "bucket": (bucket or "none",)},
        volatility=ACTION.volatility,
    )  # fmt: skip


def _look(cloud: "Cloud", task: Mapping[str, Json], wanted: str) -> _Look:
    """What stands against a session in the task, and the containers in which one can be had."""
    seen = _Look()
    definition = cloud.call(
        "ecs:DescribeTaskDefinition", taskDefinition=task["taskDefinitionArn"]
    )["taskDefinition"]  # fmt: skip
    if not task.get("enableExecuteCommand"):
        seen.refusals.append(
            "ECS Exec is off for this task, and cannot be switched on while it runs. Switch it on "
            "for the service (enableExecuteCommand): its next tasks will have it, this one not."
        )
    if task.get("lastStatus") != "RUNNING":
        seen.refusals.append(f"The task is {task.get('lastStatus')}: nothing runs in it.")
    if str(task.get("platformFamily", "")).lower().startswith("windows"):
        seen.refusals.append("The task runs Windows; there is a script for Linux.")
    if seen.refusals:
        return seen
    read_only = {one["name"] for one in definition.get("containerDefinitions", ())
                 if one.get("readonlyRootFilesystem")}  # fmt: skip
    for one in task.get("containers", ()):
        name = one["name"]
        if wanted and name != wanted:
            continue
        agents = {
            agent.get("name"): agent.get("lastStatus") for agent in one.get("managedAgents", ())
        }
        state = agents.get("ExecuteCommandAgent")
        if state == "RUNNING":
            seen.containers.append(name)
            continue
        why = " Its root file system is read-only, which the agent does not take." \
            if name in read_only else ""  # fmt: skip
        seen.warnings.append(
            f"The agent of ECS Exec in {name} is {state or 'not there'}: nothing is taken from "
            f"it.{why}"
        )
    if not seen.containers:
        seen.refusals += seen.warnings or [f"The task has no container {wanted[:80]}."]
    _role(cloud, task, definition, seen)
    return seen


def _role(
    cloud: "Cloud", task: Mapping[str, Json], definition: Mapping[str, Json], seen: _Look
) -> None:
    """Whether the role of the task lets its agent open a session, as far as IAM tells."""
    seen.role = str(task.get("overrides", {}).get("taskRoleArn") or definition.get("taskRoleArn")
                    or "")  # fmt: skip
    if not seen.role:
        if task.get("launchType") == "FARGATE":
            seen.refusals.append(
                "The task has no role, so its agent cannot open a session: give its definition a "
                "task role with ssmmessages:*Channel. Tasks begun afterwards have it."
            )
        return
    try:
        lacking = sorted(
            one["EvalActionName"]
            for one in cloud.pages(
                "iam:SimulatePrincipalPolicy", "EvaluationResults", PolicySourceArn=seen.role,
                ActionNames=list(SESSION),
            )
            if one["EvalDecision"] != "allowed"
        )  # fmt: skip
    except Error:
        seen.warnings.append(f"IAM does not tell what {seen.role} may; the agent says it runs.")
        return
    if lacking:
        seen.refusals.append(
            f"{seen.role} may not {', '.join(lacking)}, which the agent in the task needs: allow "
            "it to the task's role. It holds at once, also for this task."
        )


def _cluster(cloud: "Cloud", cluster: str, seen: _Look) -> None:
    """What the cluster does to sessions: a key of KMS, and who else reads along."""
    try:
        found = cloud.call(
            "ecs:DescribeClusters", clusters=[cluster], include=["CONFIGURATIONS"]
        )["clusters"]  # fmt: skip
    except Error as error:
        seen.warnings.append(f"{error.message} Whether sessions are encrypted is not known.")
        return
    said = (found[0].get("configuration") or {}) if found else {}
    how = said.get("executeCommandConfiguration") or {}
    if how.get("kmsKeyId"):
        seen.refusals.append(
            f"Sessions of {cluster} are encrypted with {how['kmsKeyId']}, which Locard does not "
            "do. Take kmsKeyId out of the cluster's executeCommandConfiguration for as long: what "
            "is sent is encrypted by TLS all the same."
        )
    if how.get("logging", "DEFAULT") != "NONE":
        told = how.get("logConfiguration") or {}
        place = told.get("cloudWatchLogGroupName") or told.get("s3BucketName")
        seen.warnings.append(
            "The cluster logs what sessions print "
            f"({place or 'to where the task logs, if it does'}): what is taken can be read there."
        )


_ECS = "arn:{partition}:ecs:{region}:{account}"

ACTION = Action(
    id="collect.aws.containers",
    title="Collect what runs in the containers of an ECS task",
    about="Processes, connections, mounts, deleted files that are open, and files that you choose, "
    "through ECS Exec; no credential goes there.",
    kind="task",
    names=r"arn:[\w-]+:ecs:(?P<region>[\w-]+):(?P<account>\d{12}):task/"
    r"(?P<id>[\w-]{1,255}/[0-9a-f-]{32,36})",
    permissions=(
        Permission("ecs:DescribeTasks", f"{_ECS}:task/{{id}}"),
        Permission("ecs:DescribeTaskDefinition"),
        Permission("ecs:DescribeClusters", f"{_ECS}:cluster/{{cluster}}", optional=True,
                   why="whether sessions are encrypted and logged"),
        Permission("ecs:ExecuteCommand", f"{_ECS}:cluster/{{cluster}}", reads=False),
        Permission("ecs:ExecuteCommand", f"{_ECS}:task/{{id}}", reads=False),
        Permission("iam:SimulatePrincipalPolicy", "{role}", optional=True,
                   why="whether the role of the task lets its agent open sessions"),
        *sending.PERMISSIONS,
    ),
    plan=plan,
    steps={"live": Live(), "files": Files()},
    volatility=1,
    harm="A shell runs in each container for as long, and whoever holds it may see that.",
    options=(
        Option("container", "Only the container of this name; all if empty", ""),
        Option("live", "What runs: `no` leaves it out", True),
        Option("paths", "Files and folders to take, with commas between: /app,/tmp/x", ""),
        Option("mib", "MiB of files that come through the session of a container at most", "64"),
        *sending.OPTIONS,
        Option("minutes", "How long a container may take for its answer", "10"),
        Option("secrets", "Values of environment variables, and not their names alone"),
    ),
    optional=True,
)  # fmt: skip
