# SPDX-License-Identifier: Apache-2.0
"""A simulated account with a compromised instance as awkward as they come, and what it is like.

Three interfaces in two VPC subnets with IPv6, an Elastic IP, a member of an Auto Scaling group, a
role that a fleet shares, whose profile has another name and a path.
"""

import json
from dataclasses import dataclass
from typing import Any

from tests.clouds.aws.server import ACCOUNT, REGION, Aws

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
CHANGING = {"AssociationId", "AttachTime", "LaunchTime", "IpOwnerId", "StateTransitionReason",
            "StateReason", "UsageOperationUpdateTime", "Host", "RoleLastUsed",
            "AttachmentId", "LatestRestorableTime"}  # fmt: skip
"""What is another after a release, because AWS makes it anew."""


@dataclass
class Scene:
    """The account, and what is in it."""

    aws: Aws
    instance: str
    other: str
    """Another instance of the same role."""
    group: str
    role: str
    vpc: str
    interfaces: list[str]
    groups: list[str]
    address: str

    def ec2(self) -> Any:
        return self.aws.client("ec2")

    def state(self) -> dict[str, Any]:
        """Everything that an isolation may touch, call by call."""
        ec2, scaling, iam = (self.aws.client(one) for one in ("ec2", "autoscaling", "iam"))
        one = self.instance
        found: dict[str, Any] = {
            "instance": ec2.describe_instances(InstanceIds=[one])["Reservations"][0]["Instances"],
            "interfaces": ec2.describe_network_interfaces(NetworkInterfaceIds=self.interfaces),
            "groups": ec2.describe_security_groups(),
            "addresses": ec2.describe_addresses(),
            "group": scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group]),
            "policies": iam.list_role_policies(RoleName=self.role)["PolicyNames"],
            "role": iam.get_role(RoleName=self.role)["Role"],
        }
        for name in ("disableApiTermination", "disableApiStop",
                     "instanceInitiatedShutdownBehavior"):  # fmt: skip
            found[name] = ec2.describe_instance_attribute(InstanceId=one, Attribute=name)
        members = found["group"]["AutoScalingGroups"][0].pop("Instances")
        found["size"] = len(members)
        found["member"] = [m for m in members if m["InstanceId"] == one]
        return steady(found)


def steady(value: Any) -> Any:
    """An answer without what is made anew, and lists of sets in an order.

    A time-out of connection tracking that is set to five days is the same as none.
    """
    if isinstance(value, dict):
        if value.get("ConnectionTrackingConfiguration") == {"TcpEstablishedTimeout": 432_000}:
            value = {k: v for k, v in value.items() if k != "ConnectionTrackingConfiguration"}
        dropped = CHANGING | {"ResponseMetadata"}
        return {name: steady(one) for name, one in value.items() if name not in dropped}
    if isinstance(value, list):
        return sorted((steady(one) for one in value), key=lambda one: json.dumps(one, default=str))
    return value


def scene(aws: Aws, name: str) -> Scene:
    """Make it."""
    ec2, scaling, iam = (aws.client(one) for one in ("ec2", "autoscaling", "iam"))
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    vpc, six = made["VpcId"], made["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{REGION}a",
        Ipv6CidrBlock=six.replace("/56", "/64"),
    )  # fmt: skip
    subnet_id = subnet["Subnet"]["SubnetId"]
    groups = [
        ec2.create_security_group(GroupName=f"{name}-{one}", Description=one, VpcId=vpc)["GroupId"]
        for one in ("web", "ssh", "db")
    ]
    role, profile = f"{name}-role", f"{name}-profile"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST, Path="/fleet/")
    iam.create_instance_profile(InstanceProfileName=profile, Path="/profiles/")
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    template = ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "t3.micro",
            "SecurityGroupIds": groups[:2],
            "IamInstanceProfile": {"Name": profile},
            "BlockDeviceMappings": [
                {
                    "DeviceName": "/dev/sda1",
                    "Ebs": {"VolumeSize": 1, "DeleteOnTermination": True},
                }
            ],
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        MinSize=1, MaxSize=2, DesiredCapacity=2, VPCZoneIdentifier=subnet_id,
    )  # fmt: skip
    found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    instance, other = (one["InstanceId"] for one in found["AutoScalingGroups"][0]["Instances"])
    arn = f"arn:aws:iam::{ACCOUNT}:instance-profile/profiles/{profile}"
    for one in (instance, other):
        known = ec2.describe_iam_instance_profile_associations(
            Filters=[{"Name": "instance-id", "Values": [one]}]
        )["IamInstanceProfileAssociations"]
        if not known:
            ec2.associate_iam_instance_profile(
                IamInstanceProfile={"Arn": arn, "Name": profile}, InstanceId=one
            )
    for index, held in ((1, groups[1:]), (2, groups[:1])):
        eni = ec2.create_network_interface(SubnetId=subnet_id, Groups=held)
        ec2.attach_network_interface(
            NetworkInterfaceId=eni["NetworkInterface"]["NetworkInterfaceId"],
            InstanceId=instance, DeviceIndex=index,
        )  # fmt: skip
    seen = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    interfaces = [one["NetworkInterfaceId"] for one in seen["NetworkInterfaces"]]
    for eni, number in zip(interfaces, (1, 2), strict=False):
        ec2.assign_ipv6_addresses(NetworkInterfaceId=eni, Ipv6AddressCount=number)
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(
        AllocationId=address["AllocationId"], NetworkInterfaceId=interfaces[0],
        PrivateIpAddress=seen["PrivateIpAddress"],
    )  # fmt: skip
    return Scene(aws, instance, other, name, role, vpc, interfaces, groups, address["PublicIp"])


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Where two states differ, one line each."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for name in sorted({*before, *after})
            for line in differences(before.get(name), after.get(name), f"{path}/{name}")
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for n, (b, a) in pairs for line in differences(b, a, f"{path}/{n}")]
    return [] if before == after else [f"{path}: {before!r} is {after!r} now"]
