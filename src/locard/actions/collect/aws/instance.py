# SPDX-License-Identifier: Apache-2.0
"""What AWS itself knows of an EC2 instance, in seconds and without touching it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws.answers import Answer, Console, Screenshot, UserData
from locard.actions.contract import Action
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """One step for each call. Raises `Missing` when there is no such instance."""
    found = cloud.call("ec2:DescribeInstances", InstanceIds=[target.id])
    held = [one for held in found["Reservations"] for one in held["Instances"]]
    if not held:
        raise Missing(f"There is no instance {target.id} in {cloud.region}.", "Check the region.")
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(_steps(target.id, held[0])),
        names={"profile": _profile(held[0])}, volatility=ACTION.volatility,
    )  # fmt: skip


def _steps(name: str, found: Mapping[str, Json]) -> Iterator[Step]:
    def filtered(by: str) -> dict[str, Json]:
        return {"Filters": [{"Name": by, "Values": [name]}]}

    attached = filtered("attachment.instance-id")
    yield _step("console", "ec2:GetConsoleOutput", {"InstanceId": name}, f"{name}-console.txt")
    yield _step(
        "screenshot", "ec2:GetConsoleScreenshot", {"InstanceId": name}, f"{name}-screen.jpg"
    )
    yield _step("answer", "ec2:DescribeInstances", {"InstanceIds": [name]})
    yield _step(
        "userdata", "ec2:DescribeInstanceAttribute",
        {"InstanceId": name, "Attribute": "userData"}, f"{name}-user-data",
    )  # fmt: skip
    yield _step("answer", "ec2:DescribeNetworkInterfaces", attached)
    groups = sorted(
        {one["GroupId"] for eni in found.get("NetworkInterfaces", ()) for one in eni["Groups"]}
    )
    if groups:
        yield _step("answer", "ec2:DescribeSecurityGroups", {"GroupIds": groups})
    yield _step("answer", "ec2:DescribeVolumes", attached)
    yield _step("answer", "ec2:DescribeTags", filtered("resource-id"))
    yield _step("answer", "autoscaling:DescribeAutoScalingInstances", {"InstanceIds": [name]})
    profile = found.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2]
    if profile:
        yield _step("answer", "iam:GetInstanceProfile", {"InstanceProfileName": profile})


def _step(kind: str, call: str, request: dict[str, Json], inside: str = "") -> Step:
    service, _, operation = call.partition(":")
    arguments: dict[str, Json] = {
        "request": request,
        "name": f"{service}-{operation}.json",
        "optional": call != "ec2:DescribeInstances",
    }
    if inside:
        arguments["inside"] = inside
    return Step(f"{kind}:{operation}", f"Ask {operation}", call, arguments, changes=False)


def _profile(found: Mapping[str, Json]) -> tuple[str, ...]:
    arn = found.get("IamInstanceProfile", {}).get("Arn", "")
    return (arn.partition(":instance-profile/")[2] or "none",)


_INSTANCE = "arn:{partition}:ec2:{region}:{account}:instance/{id}"

ACTION = Action(
    id="collect.aws.instance",
    title="Collect what AWS knows of an EC2 instance",
    about="Console output, screenshot, description, user data, interfaces, security groups, "
    "volumes, tags, Auto Scaling and role.",
    kind="instance",
    names=r"(?:arn:[\w-]+:ec2:(?P<region>[\w-]*):(?P<account>\d{12}):instance/)?"
    r"(?P<id>i-[0-9a-f]{8,17})",
    permissions=(
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeInstanceAttribute", optional=True),
        Permission("ec2:DescribeNetworkInterfaces", optional=True),
        Permission("ec2:DescribeSecurityGroups", optional=True),
        Permission("ec2:DescribeVolumes", optional=True),
        Permission("ec2:DescribeTags", optional=True),
        Permission("ec2:GetConsoleOutput", _INSTANCE, optional=True),
        Permission("ec2:GetConsoleScreenshot", _INSTANCE, optional=True),
        Permission("autoscaling:DescribeAutoScalingInstances", optional=True),
        Permission(
            "iam:GetInstanceProfile",
            "arn:{partition}:iam::{account}:instance-profile/{profile}",
            optional=True,
        ),
    ),
    plan=plan,
    steps={
        "answer": Answer(),
        "userdata": UserData(),
        "console": Console(),
        "screenshot": Screenshot(),
    },
    volatility=0,
)
