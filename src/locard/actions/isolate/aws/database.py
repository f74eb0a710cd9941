# SPDX-License-Identifier: Apache-2.0
"""A database of RDS is isolated: a snapshot first, kept from deletion, and shut to the network.

The groups of a cluster are those of all its members, so a member is isolated by its cluster. What
goes around the network is shut as well: the Data API of Aurora, and tokens of IAM.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.contract import Action, Option
from locard.actions.isolate.aws import access, cutting
from locard.actions.isolate.aws.steps import database as steps
from locard.actions.isolate.aws.steps.network import Group
from locard.model.action import Json, Permission, Plan, Step, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """What isolating it would do."""
    scope, _, name = target.id.partition(":")
    found = steps.read(cloud, scope, name)
    members = [one["DBInstanceIdentifier"] for one in found.get("DBClusterMembers", ())]
    ids = [one["VpcSecurityGroupId"] for one in found["VpcSecurityGroups"]]
    groups = cloud.call("ec2:DescribeSecurityGroups", GroupIds=ids)["SecurityGroups"]
    vpc, closed = groups[0]["VpcId"], f"locard-isolation-{scope}-{name}"
    made = tuple(_steps(cloud, scope, name, found, members, vpc, closed, options))
    missing, unknown = cutting.allowed(cloud, made)
    refusals = list(access.protected({"Tags": found.get("TagList", ())}))
    refusals += _against(target, found, scope)
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), made,
        refusals=tuple(refusals), warnings=tuple(_told(found, options)),
        missing=missing, unknown=unknown,
        names={"member": tuple(members) or ("none",)}, volatility=ACTION.volatility,
    )  # fmt: skip


def _against(target: Target, found: Mapping[str, Json], scope: str) -> Iterator[str]:
    if cluster := found.get("DBClusterIdentifier") if scope == "db" else None:
        yield (
            f"It is a member of the cluster {cluster}, whose groups are those of all members: "
            f"isolate arn:aws:rds:{target.region}:{target.account}:cluster:{cluster}."
        )
    if (now := steps.status(found)) != "available":
        said = "it answers nobody, and RDS" if now == "stopped" else "RDS"
        yield f"It is {now}: {said} changes nothing of it until it is available."


def _steps(
    cloud: "Cloud", scope: str, name: str, found: Mapping[str, Json], members: list[str],
    vpc: str, closed: str, options: Mapping[str, Json],
) -> Iterator[Step]:  # fmt: skip
    kind = "Cluster" if scope == "cluster" else "Instance"
    given: dict[str, Json] = {"scope": scope, "name": name}
    if options["snapshot"]:
        yield Step(
            f"snapshot:{name}", f"Make a snapshot of {name}, and wait until it is complete",
            f"rds:CreateDB{'Cluster' if scope == 'cluster' else ''}Snapshot", given,
            undo_title="Nothing: the snapshot stays, as evidence",
        )  # fmt: skip
    if not found.get("DeletionProtection"):
        yield _setting(scope, name, "DeletionProtection", "DeletionProtection", True,
                       "Protect it against deletion")  # fmt: skip
    if found.get("IAMDatabaseAuthenticationEnabled"):
        yield _setting(scope, name, "IAMDatabaseAuthenticationEnabled",
                       "EnableIAMDatabaseAuthentication", False,
                       "Let nobody sign in by a token of IAM",
                       "Whoever signs in by a token of IAM cannot.")  # fmt: skip
    if found.get("HttpEndpointEnabled"):
        yield Step(
            f"dataapi:{name}", "Switch its Data API off, which no security group stops",
            "rds:DisableHttpEndpoint", {"name": name},
            breaks=("Whoever asks it over the Data API is turned away.",),
            undo_title="Switch its Data API on again",
        )  # fmt: skip
    yield from cutting.groups([vpc], closed)
    yield Step(
        f"network:{name}", f"Put {name} into the group without rules", f"rds:ModifyDB{kind}",
        {**given, "vpc": vpc, "group": closed},
        breaks=("No new connection reaches it.",), undo_title=f"Put {name} back into its groups",
    )  # fmt: skip
    for one in members or [name] * (scope == "db"):
        public = found if scope == "db" else steps.read(cloud, "db", one)
        if public.get("PubliclyAccessible") and _own(found, scope):
            yield _setting("db", one, "PubliclyAccessible", "PubliclyAccessible", False,
                           f"Take {one} off the public internet")  # fmt: skip
    if options["stop"]:
        yield Step(
            f"stop:{name}", f"Stop {name}", f"rds:StopDB{kind}", given,
            breaks=("Every connection ends; RDS starts it again by itself after seven days.",),
            undo_title="Start it, if it ran",
        )  # fmt: skip


def _own(found: Mapping[str, Json], scope: str) -> bool:
    """Whether members have settings of their own: those of a Multi-AZ cluster have not."""
    return scope == "db" or str(found.get("Engine", "")).startswith("aurora")


def _setting(
    scope: str, name: str, attribute: str, parameter: str, value: bool, title: str, breaks: str = ""
) -> Step:
    return Step(
        f"setting:{name}-{attribute}", title,
        f"rds:ModifyDB{'Cluster' if scope == 'cluster' else 'Instance'}",
        {"scope": scope, "name": name, "field": attribute, "parameter": parameter, "value": value},
        breaks=(breaks,) if breaks else (), undo_title=f"Set {attribute} of {name} back",
    )  # fmt: skip


def _told(found: Mapping[str, Json], options: Mapping[str, Json]) -> Iterator[str]:
    if not options["stop"]:
        yield ("Connections that are established go on as long as they talk. --set stop=yes ends "
               "them, and the database answers nobody.")  # fmt: skip
    else:
        yield "RDS starts a stopped database after seven days by itself; it stays shut then."
    yield ("A password that was stolen is good again after the release: change it before. "
           "It cannot be read, so that isolating does not change it.")  # fmt: skip
    if not options["snapshot"]:
        yield "No snapshot is made before."
    if found.get("ReadReplicaDBInstanceIdentifiers") or found.get("ReadReplicaIdentifiers"):
        yield "It has read replicas, which have the same data and groups of their own."
    if not found.get("StorageEncrypted", True):
        yield "Its storage is not encrypted."
    if "DBClusterMembers" in found and not _own(found, "cluster"):
        yield "Whether its members are public is said of the cluster when it is made, for good."


_RDS = "arn:{partition}:rds:{region}:{account}"
_IT = f"{_RDS}:{{id}}"
_MEMBERS = f"{_RDS}:db:{{member}}"
_SNAPSHOTS = (f"{_RDS}:snapshot:locard-*", f"{_RDS}:cluster-snapshot:locard-*")

ACTION = Action(
    id="isolate.aws.database",
    title="Isolate an RDS database",
    about="Makes a snapshot, protects it against deletion, shuts its Data API and tokens of IAM, "
    "puts it into a security group without rules and off the public internet.",
    kind="database",
    names=r"arn:[\w-]+:rds:(?P<region>[\w-]+):(?P<account>\d{12}):"
    r"(?P<id>(?:db|cluster):[A-Za-z][A-Za-z0-9-]{0,62})",
    permissions=(
        Permission("rds:DescribeDBInstances"),
        Permission("rds:DescribeDBClusters"),
        Permission("rds:DescribeDBSnapshots"),
        Permission("rds:DescribeDBClusterSnapshots"),
        *cutting.changes("rds:ModifyDBInstance", _IT, _MEMBERS),
        *cutting.changes(
            "rds:ModifyDBCluster rds:EnableHttpEndpoint rds:DisableHttpEndpoint "
            "rds:StopDBInstance rds:StartDBInstance rds:StopDBCluster rds:StartDBCluster",
            _IT,
        ),
        *cutting.changes(
            "rds:CreateDBSnapshot rds:CreateDBClusterSnapshot", _IT, *_SNAPSHOTS,
            why="before anything is changed",
        ),
        *cutting.changes("rds:AddTagsToResource", *_SNAPSHOTS),
        *cutting.GROUP_PERMISSIONS,
    ),
    plan=plan,
    steps={
        "snapshot": steps.Snapshot(),
        "setting": steps.Setting(),
        "dataapi": steps.DataApi(),
        "group": Group(),
        "network": steps.Closed(),
        "stop": steps.Halted(),
    },
    volatility=9,
    harm="Whatever uses the database fails.",
    options=(
        Option("snapshot", "make a snapshot before anything is changed", True),
        Option("stop", "stop it at the end, which ends every connection", False),
    ),
)  # fmt: skip
