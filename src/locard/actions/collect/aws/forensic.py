# SPDX-License-Identifier: Apache-2.0
"""A copy of the snapshots in an account of our own, where whoever holds the first account cannot
reach them.

A snapshot that is encrypted with a key of the customer's is shared together with a grant on that
key, and encrypted anew with a key of the forensic account. One under the account's default key
cannot be shared at all: it is copied under another key first.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from locard.actions.collect.aws.requested import note, note_request
from locard.actions.collect.aws.snapshots import SNAPSHOT, TAGGED, lock, noted, wait
from locard.actions.contract import Change, Collection, Keep, Option, Room
from locard.model.action import Json, Permission, Step
from locard.model.errors import Error, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

OPTIONS = (
    Option("forensic", "Copy the snapshots into this account of ours, by its name here", ""),
    Option("forensic_key", "Key of the forensic account for the copies; its default if empty", ""),
    Option("share_key", "Key of the first account for snapshots under its default key", ""),
)
PERMISSIONS = (
    Permission("ec2:ModifySnapshotAttribute", SNAPSHOT, reads=False, why="a forensic account"),
    Permission("ec2:CopySnapshot", SNAPSHOT, reads=False, why="a forensic account"),
    TAGGED,
    Permission("kms:DescribeKey", "{key}", why="which snapshots can be shared"),
    Permission("kms:CreateGrant", "{key}", reads=False, why="a forensic account"),
    Permission("kms:RevokeGrant", "{key}", reads=False, why="a forensic account"),
    Permission("kms:GenerateDataKeyWithoutPlaintext", "{key}", why="a copy under another key"),
    Permission("kms:ReEncryptFrom", "{key}", why="a copy under another key"),
    Permission("kms:ReEncryptTo", "{key}", why="a copy under another key"),
)
GRANTED = ["DescribeKey", "Decrypt", "CreateGrant", "ReEncryptFrom",
           "GenerateDataKeyWithoutPlaintext"]  # fmt: skip
"""What EC2 needs on the first key while it copies (the EBS user guide has the list)."""


class Reencrypt:
    """A copy in the same account, under a key that can be shared."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Copy the snapshot, or find the copy of this run."""
        name = room.outcomes["snapshots:all"][step.arguments["volume"]]
        wait(cloud, name, room)
        made = _copy(cloud, cloud.region, name, step.arguments["key"], room, "reencrypted")
        return {"snapshot": made, "of": name}


class Share:
    """The right to copy the snapshot, for the forensic account, and to use its key meanwhile."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Grant the key first: a share without it is of no use."""
        volume, name = step.arguments["volume"], _shared(step, room)
        other = room.elsewhere(step.arguments["forensic"])
        granted = ""
        if key := step.arguments.get("key"):
            made = cloud.call(
                "kms:CreateGrant", KeyId=key, Name=cloud.run, Operations=GRANTED,
                GranteePrincipal=f"arn:{cloud.partition}:iam::{other.account}:root",
            )  # fmt: skip
            granted = made["GrantId"]
        wait(cloud, name, room)
        cloud.call(
            "ec2:ModifySnapshotAttribute", SnapshotId=name, Attribute="createVolumePermission",
            OperationType="add", UserIds=[other.account],
        )  # fmt: skip
        return {"volume": volume, "snapshot": name, "with": other.account, "grant": granted}


class Copy:
    """The copy, under a key of the forensic account, and the end of the grant."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Copy, wait until it is there: AWS tells of a key only then, and lock it."""
        volume = step.arguments["volume"]
        shared = room.outcomes[f"share:{volume}"]
        other = room.elsewhere(step.arguments["forensic"])
        key = step.arguments["forensic_key"]
        made = _copy(other, cloud.region, shared["snapshot"], key, room, "copies")
        wait(other, made, room)
        found: dict[str, Json] = {"snapshot": made, "account": other.account}
        if step.arguments["lock"] != "no":
            found |= lock(other, made, step.arguments)
        if shared["grant"]:
            cloud.call("kms:RevokeGrant", KeyId=step.arguments["key"], GrantId=shared["grant"])
        return found


STEPS: dict[str, Change | Collection] = {
    "reencrypt": Reencrypt(),
    "share": Share(),
    "copy": Copy(),
}


def keys(cloud: "Cloud", volumes: Mapping[str, str], options: Mapping[str, Json]) -> dict[str, str]:
    """The key of each volume that is encrypted; empty for the default key of the account."""
    if not options.get("forensic"):
        return {}
    managers: dict[str, str] = {}
    for key in sorted({one for one in volumes.values() if one}):
        said = cloud.call("kms:DescribeKey", KeyId=key)["KeyMetadata"]
        managers[key] = said.get("KeyManager", "CUSTOMER")
    return {one: "" if managers[key] == "AWS" else key for one, key in volumes.items() if key}


def refusals(known: Mapping[str, str], options: Mapping[str, Json]) -> Iterator[str]:
    """What stands against the copy."""
    default = sorted(one for one, key in known.items() if not key)
    if default and not options["share_key"]:
        yield (
            f"{', '.join(default)} is encrypted with the default key of the account (aws/ebs), and "
            "AWS lets nobody share such snapshots. Name a key of the account that they are copied "
            "under first: --set share_key=arn:aws:kms:REGION:ACCOUNT:key/ID. Or leave the forensic "
            "account out: the disks are read from here into the vault all the same."
        )


def steps(
    volumes: Sequence[str], known: Mapping[str, str], options: Mapping[str, Json]
) -> Iterator[Step]:
    """The steps that end with each snapshot in the forensic account."""
    if not options.get("forensic"):
        return
    said = {"forensic": options["forensic"]}
    for one in volumes:
        key = known.get(one)
        if key == "":
            key = str(options["share_key"])
            yield Step(
                f"reencrypt:{one}", f"Copy the snapshot of {one} under {key}", "ec2:CopySnapshot",
                {"volume": one, "key": key}, breaks=("A second snapshot stays in the account.",),
                from_copy=True,
            )  # fmt: skip
        more = {"key": key} if key else {}
        yield Step(
            f"share:{one}", f"Share the snapshot of {one} with {options['forensic']}",
            "ec2:ModifySnapshotAttribute", {"volume": one, **said, **more}, from_copy=True,
        )  # fmt: skip
        yield Step(
            f"copy:{one}", f"Copy the snapshot of {one} into {options['forensic']}",
            "ec2:CopySnapshot",
            {"volume": one, **said, **more, "forensic_key": options["forensic_key"],
             "lock": options["lock"], "days": options["lock_days"],
             "hours": options["lock_hours"]},
            breaks=("The copy stays there, and costs, until somebody deletes it.",),
            from_copy=True,
        )  # fmt: skip


def _shared(step: Step, room: Room) -> str:
    """The snapshot that is shared: the one under another key where there is one."""
    volume = step.arguments["volume"]
    again = room.outcomes.get(f"reencrypt:{volume}")
    return str(again["snapshot"] if again else room.outcomes["snapshots:all"][volume])


def _copy(cloud: "Cloud", region: str, name: str, key: str, room: Room, what: str) -> str:
    """Copy a snapshot into the account of `cloud`, once: the copy's id."""
    file = Path(room.folder) / f"{what}.json"
    known = noted(file)
    if name in known:
        return known[name]
    filters = [
        {"Name": "tag:locard:run", "Values": [cloud.run]},
        {"Name": "tag:locard:copy-of", "Values": [name]},
    ]
    found = cloud.pages("ec2:DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters)
    earlier = sorted(found, key=lambda one: str(one["StartTime"]))
    if earlier:
        made = str(earlier[0]["SnapshotId"])
    else:
        tags = [
            {"Key": "locard:run", "Value": cloud.run},
            {"Key": "locard:copy-of", "Value": name},
        ]
        under: dict[str, Json] = {"Encrypted": True, "KmsKeyId": key} if key else {}
        try:
            said = cloud.call(
                "ec2:CopySnapshot", SourceSnapshotId=name, SourceRegion=region,
                Description=f"Evidence, copy of {name}, {cloud.run}",
                TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}], **under,
            )  # fmt: skip
        except Missing as error:
            raise Error(
                f"Account {cloud.account} cannot see the snapshot {name}: {error.message}",
                "Shares take a moment to arrive. Carry the run on: locard runs resume RUN",
            ) from error
        made = str(said["SnapshotId"])
        note_request(file.parent, [made], cloud.requests[-1])
    note(file, known | {name: made})
    return made
