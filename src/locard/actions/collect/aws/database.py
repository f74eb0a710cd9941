# SPDX-License-Identifier: Apache-2.0
"""An RDS database: its log files to the last byte, and a snapshot that stays in the account."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws.answers import Answer, of
from locard.actions.collect.aws.streams import Stream
from locard.actions.contract import Action, Keep, Option, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Conflict, Error

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

BEGINNING = "0"
"""The marker of a file's first portion; RDS gives a file out in portions of at most 1 MiB."""


class LogFile:
    """One log file of an instance, portion by portion until none is left."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Follow the markers to the end."""
        said, size, noting = step.arguments, 0, cloud.noting()

        def whole() -> Iterator[bytes]:
            nonlocal size
            marker = BEGINNING
            while True:
                found = noting.call(
                    "rds:DownloadDBLogFilePortion", DBInstanceIdentifier=said["instance"],
                    LogFileName=said["file"], Marker=marker,
                )  # fmt: skip
                data = str(found.get("LogFileData") or "").encode("utf-8", "surrogateescape")
                size += len(data)
                room.progress(f"Reading {said['file']}", size, max(said["size"], size))
                if data:
                    yield data
                if not found.get("AdditionalDataPending"):
                    return
                if found.get("Marker") == marker:
                    raise Error(f"RDS gives {said['file']} out in a circle.", "Carry the run on.")
                marker = str(found["Marker"])

        kept = keep(said["file"], Stream(whole()), of(noting, consistency="as found"))
        return {"evidence": kept, "bytes": size, "said to be": said["size"]}


class Snapshot:
    """A snapshot of the database in its account; it is not read from here."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Make it, once: its name is the run's."""
        said = step.arguments
        name = f"locard-{cloud.run}"
        tags = [{"Key": "locard:run", "Value": cloud.run}]
        what, kind = said["id"], "DBCluster" if said["cluster"] else "DBInstance"
        call = f"rds:Create{'DBClusterSnapshot' if said['cluster'] else 'DBSnapshot'}"
        named = f"{'DBClusterSnapshot' if said['cluster'] else 'DBSnapshot'}Identifier"
        try:
            cloud.call(call, **{f"{kind}Identifier": what, named: name, "Tags": tags})
        except Conflict:
            pass  # made before the run was stopped
        except Error as error:
            if "AlreadyExists" not in error.message:
                raise
        return {"snapshot": name, "of": what}


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """What RDS says of it, the log files, the snapshot."""
    form, _, name = target.id.partition(":")
    cluster = form == "cluster"
    members, steps = [name], []
    if cluster:
        request = {"DBClusterIdentifier": name}
        found = cloud.call("rds:DescribeDBClusters", **request)["DBClusters"][0]
        members = [one["DBInstanceIdentifier"] for one in found.get("DBClusterMembers", ())]
        steps.append(_asked("DescribeDBClusters", request))
    for one in members:
        request = {"DBInstanceIdentifier": one}
        steps.append(_asked("DescribeDBInstances", request, one))
        for file in cloud.pages("rds:DescribeDBLogFiles", "DescribeDBLogFiles", **request):
            arguments = {"instance": one, "file": file["LogFileName"], "size": file.get("Size", 0)}
            steps.append(
                Step(f"file:{one}:{file['LogFileName']}", f"Read {file['LogFileName']} of {one}",
                     "rds:DownloadDBLogFilePortion", arguments, changes=False)
            )  # fmt: skip
    if options["snapshot"]:
        steps.append(
            Step("snapshot:all", f"Make a snapshot of {name}", "rds:CreateDBSnapshot",
                 {"id": name, "cluster": cluster},
                 breaks=("The snapshot stays in the account, and costs, until it is deleted.",))
        )  # fmt: skip
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps),
        names={"member": tuple(members) or ("none",)}, volatility=ACTION.volatility,
    )  # fmt: skip


def _asked(call: str, request: dict[str, Json], of_: str = "") -> Step:
    name = f"rds-{call}{'-' + of_ if of_ else ''}.json"
    arguments = {"request": request, "name": name, "optional": True}
    key = f"answer:{call}{':' + of_ if of_ else ''}"
    return Step(key, f"Ask {call}", f"rds:{call}", arguments, changes=False)


_RDS = "arn:{partition}:rds:{region}:{account}"

ACTION = Action(
    id="collect.aws.database",
    title="Collect the logs of an RDS database, and a snapshot",
    about="Every log file of every instance to its last byte; the snapshot stays in the account.",
    kind="database",
    names=r"arn:[\w-]+:rds:(?P<region>[\w-]+):(?P<account>\d{12}):"
    r"(?P<id>(?:db|cluster):[A-Za-z][A-Za-z0-9-]{0,62})",
    permissions=(
        Permission("rds:DescribeDBInstances"),
        Permission("rds:DescribeDBClusters"),
        Permission("rds:DescribeDBLogFiles", f"{_RDS}:db:{{member}}"),
        Permission("rds:DownloadDBLogFilePortion", f"{_RDS}:db:{{member}}"),
        Permission("rds:CreateDBSnapshot", f"{_RDS}:{{id}}", reads=False),
        Permission("rds:CreateDBSnapshot", f"{_RDS}:snapshot:locard-*", reads=False),
        Permission("rds:CreateDBClusterSnapshot", f"{_RDS}:{{id}}", reads=False),
        Permission("rds:CreateDBClusterSnapshot", f"{_RDS}:cluster-snapshot:locard-*", reads=False),
        Permission("rds:AddTagsToResource", f"{_RDS}:*:locard-*", reads=False),
    ),
    plan=plan,
    steps={"answer": Answer(), "file": LogFile(), "snapshot": Snapshot()},
    volatility=5,
    options=(Option("snapshot", "Make a snapshot of it", True),),
)
