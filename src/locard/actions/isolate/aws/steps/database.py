# SPDX-License-Identifier: Apache-2.0
"""A database of RDS, one instance or a cluster: its settings, its groups, a snapshot, its Data API.

RDS changes one thing at a time: a database that is being changed refuses the next change, so each
step waits until it is available again.
"""

from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.found import until
from locard.actions.isolate.aws.steps.network import group_of
from locard.actions.isolate.aws.steps.valued import Valued
from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

HOUR = 3600.0
"""Seconds that RDS may take for a snapshot or a change."""


def read(cloud: "Cloud", scope: str, name: str) -> dict[str, Json]:
    """The instance (`db`) or the cluster (`cluster`) as it is. Raises `Missing`."""
    if scope == "cluster":
        found = cloud.call("rds:DescribeDBClusters", DBClusterIdentifier=name)["DBClusters"]
    else:
        found = cloud.call("rds:DescribeDBInstances", DBInstanceIdentifier=name)["DBInstances"]
    if not found:
        raise Missing(f"There is no database {name} in {cloud.region}.", "Check name and region.")
    return dict(found[0])


def status(found: Json) -> str:
    """`available`, `modifying`, ..."""
    return str(found.get("DBInstanceStatus") or found.get("Status") or "")


def modify(cloud: "Cloud", scope: str, name: str, **changes: Json) -> None:
    """Make a change now, and wait until the database is available again and nothing is pending."""
    if scope == "cluster":
        cloud.call(
            "rds:ModifyDBCluster", DBClusterIdentifier=name, ApplyImmediately=True, **changes
        )
    else:
        cloud.call(
            "rds:ModifyDBInstance", DBInstanceIdentifier=name, ApplyImmediately=True, **changes
        )

    def settled() -> bool:
        now = read(cloud, scope, name)
        return status(now) == "available" and not now.get("PendingModifiedValues")

    until(settled, f"The change of {name}", HOUR)


class Setting(Valued):
    """One setting has another value. Arguments: `scope`, `name`, `field`, `parameter`, `value`."""

    signal = "the database's settings"

    def named(self, step: Step) -> str:
        """`PubliclyAccessible` and the like."""
        return str(step.arguments["field"])

    def read(self, cloud: "Cloud", step: Step) -> Json:
        """Its value now."""
        given = step.arguments
        return read(cloud, given["scope"], given["name"]).get(given["field"])

    def set(self, cloud: "Cloud", step: Step, value: Json) -> None:
        """Change it at once."""
        given = step.arguments
        modify(cloud, given["scope"], given["name"], **{given["parameter"]: value})


class Closed:
    """The database is in our security group alone. Arguments: `scope`, `name`, `vpc`, `group`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Its groups now."""
        found = read(cloud, step.arguments["scope"], step.arguments["name"])
        held = [one for one in found["VpcSecurityGroups"] if one.get("Status") != "removing"]
        return {"groups": [one["VpcSecurityGroupId"] for one in held]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Our group instead of those."""
        ours = self._ours(cloud, step)
        if not ours:
            raise Missing(
                f"The security group {step.arguments['group']} of this isolation is gone.",
                "Release the run, then isolate anew.",
            )
        self._set(cloud, step, [ours])
        return {"groups": [ours]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is in our group alone."""
        now = self.capture(cloud, step)
        return now if now["groups"] == [self._ours(cloud, step)] else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """RDS's own word about its groups, and EC2's about their rules."""
        now = self.capture(cloud, step)["groups"]
        found = group_of(cloud, step.arguments["vpc"], step.arguments["group"])
        signal = "the groups of the database and their rules"
        if found is None or now != [found["GroupId"]]:
            return Verdict(False, signal, f"it is in {', '.join(now)}")
        rules = [*found["IpPermissions"], *found["IpPermissionsEgress"]]
        return Verdict(not rules, signal, "its group has rules" if rules else "")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Our group out, the former ones in; a group that others added stays."""
        now, ours = self.capture(cloud, step)["groups"], self._ours(cloud, step)
        if now == prior["groups"]:
            return None
        if ours not in now:
            raise Conflict(
                f"{step.arguments['name']} is in {', '.join(now)} now: others took it out of "
                "isolation.",
                f"Leave it so: --leave {step.key}",
            )
        added = [one for one in now if one != ours and one not in prior["groups"]]
        self._set(cloud, step, [*prior["groups"], *added])
        return {"kept groups of others": added} if added else None

    def _ours(self, cloud: "Cloud", step: Step) -> str:
        found = group_of(cloud, step.arguments["vpc"], step.arguments["group"])
        return str(found["GroupId"]) if found else ""

    def _set(self, cloud: "Cloud", step: Step, groups: list[str]) -> None:
        given = step.arguments
        modify(cloud, given["scope"], given["name"], VpcSecurityGroupIds=groups)


class Snapshot:
    """There is a snapshot of what was there, named after the run. Arguments: `scope`, `name`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Whether it is there already."""
        return {"state": self._state(cloud, step)}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Make it, and wait for it: RDS changes nothing meanwhile."""
        name, scope = step.arguments["name"], step.arguments["scope"]
        tags = [{"Key": "locard:run", "Value": cloud.run}]
        if not self._state(cloud, step):
            if scope == "cluster":
                cloud.call(
                    "rds:CreateDBClusterSnapshot", DBClusterIdentifier=name, Tags=tags,
                    DBClusterSnapshotIdentifier=self._named(cloud),
                )  # fmt: skip
            else:
                cloud.call(
                    "rds:CreateDBSnapshot", DBInstanceIdentifier=name, Tags=tags,
                    DBSnapshotIdentifier=self._named(cloud),
                )  # fmt: skip

        def ready() -> bool:
            state = self._state(cloud, step)
            if state in ("failed", "incompatible-restore"):
                raise Conflict(
                    f"The snapshot {self._named(cloud)} ended in the state {state}.",
                    "Look at the key of the database, or isolate without: --set snapshot=no",
                )
            return state == "available" and status(read(cloud, scope, name)) == "available"

        until(ready, f"The snapshot of {name}", HOUR)
        return {"snapshot": self._named(cloud)}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is there in full."""
        done = self._state(cloud, step) == "available"
        return {"snapshot": self._named(cloud)} if done else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """RDS's own word."""
        now = self._state(cloud, step) or "gone"
        return Verdict(now == "available", "the snapshot", f"it is {now}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """It stays: it is evidence."""
        return {"kept": self._named(cloud)} if self._state(cloud, step) else None

    def _named(self, cloud: "Cloud") -> str:
        return f"locard-{cloud.run}"

    def _state(self, cloud: "Cloud", step: Step) -> str:
        name = self._named(cloud)
        try:
            if step.arguments["scope"] == "cluster":
                found = cloud.call(
                    "rds:DescribeDBClusterSnapshots", DBClusterSnapshotIdentifier=name
                )["DBClusterSnapshots"]
            else:
                found = cloud.call("rds:DescribeDBSnapshots", DBSnapshotIdentifier=name)[
                    "DBSnapshots"
                ]
        except Missing:
            return ""
        return str(found[0]["Status"]) if found else ""


class DataApi:
    """The Data API of a cluster, which no security group stops, is off. Arguments: `name`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Whether it is on."""
        found = read(cloud, "cluster", step.arguments["name"])
        return {"on": bool(found.get("HttpEndpointEnabled")), "arn": found["DBClusterArn"]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Off."""
        cloud.call("rds:DisableHttpEndpoint", ResourceArn=prior["arn"])
        return {"on": False}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is off."""
        return None if self.capture(cloud, step)["on"] else {"on": False}

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """RDS's own word."""
        on = self.capture(cloud, step)["on"]
        return Verdict(not on, "the Data API of the cluster", "it is on" if on else "")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """On again, if it was."""
        if prior["on"] and not self.capture(cloud, step)["on"]:
            cloud.call("rds:EnableHttpEndpoint", ResourceArn=prior["arn"])
        return None


class Halted:
    """The database is stopped, which ends every connection. Arguments: `scope`, `name`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Whether it runs."""
        return {"status": status(read(cloud, step.arguments["scope"], step.arguments["name"]))}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Stop it, and wait for it."""
        self._turn(cloud, step, "Stop", "stopped")
        return {"status": "stopped"}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is stopped."""
        now = self.capture(cloud, step)
        return now if now["status"] == "stopped" else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """RDS's own word; it starts what was stopped for seven days by itself."""
        now = self.capture(cloud, step)["status"]
        return Verdict(now == "stopped", "the status of the database", f"it is {now}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Started, if it ran before."""
        now = self.capture(cloud, step)["status"]
        if prior["status"] != "stopped" and now in ("stopped", "stopping"):
            until(lambda: self.capture(cloud, step)["status"] == "stopped", "Stopping it", HOUR)
            self._turn(cloud, step, "Start", "available")
        return None

    def _turn(self, cloud: "Cloud", step: Step, verb: str, wanted: str) -> None:
        scope, name = step.arguments["scope"], step.arguments["name"]
        kind = "Cluster" if scope == "cluster" else "Instance"
        cloud.call(f"rds:{verb}DB{kind}", **{f"DB{kind}Identifier": name})
        until(lambda: self.capture(cloud, step)["status"] == wanted, f"{verb}ing {name}", HOUR)
