# SPDX-License-Identifier: Apache-2.0
"""The simulated account: a small fleet behind Auto Scaling, one instance of it compromised.

Its root disk is the disk image of the simulated incident, block by block behind the EBS direct API.
Everything is made through the same calls that an administrator would make.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from typing import Any

from locard import providers
from locard.cases.demo import SEED, disk, story
from locard.model.errors import Error

ACCOUNT, REGION = story.ACCOUNT, story.HOME_REGION
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Locard"
BLOCK = 512 << 10
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
STARTS = 60
"""Seconds that moto may take to begin."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is in the account."""

    endpoint: str
    account: str
    instance: str
    interface: str
    private: str
    public: str
    vpc: str
    subnet: str
    group: str
    """A security group of the instance."""
    profile: str
    """The ARN of its instance profile."""
    image: str


@contextmanager
def simulated() -> Iterator[str]:
    """A simulated AWS on loopback for as long as this lasts; its address."""
    try:
        import moto  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise Error(
            "The simulated account needs moto, which is not installed.",
            "Run make demo-respond, or install the extra: locard[demo].",
        ) from error
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", f"{__package__}.front", str(port)],
        env=os.environ | {"MOTO_ACCOUNT_ID": ACCOUNT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint, until = f"http://127.0.0.1:{port}", time.monotonic() + STARTS
    try:
        while True:
            try:
                tell(endpoint, "seeds", {})
                break
            except OSError as error:
                if time.monotonic() > until or process.poll() is not None:
                    raise Error("The simulated account did not start.") from error
                time.sleep(0.1)
        yield endpoint
    finally:
        process.terminate()
        process.wait(20)


def tell(endpoint: str, name: str, body: Any) -> None:
    """Tell the front something that is no call of AWS."""
    data = json.dumps(body).encode()
    url = f"{endpoint}/locard-simulation/{name}"
    with urllib.request.urlopen(url, data=data, timeout=20) as answer:  # noqa: S310 - loopback
        answer.read()


def fill(endpoint: str) -> Scene:
    """Make the fleet with its compromised instance, whose disk has the incident on it."""
    cloud = providers.session("aws").Cloud(ACCOUNT, REGION, "simulation", endpoint=endpoint)
    call = cloud.call
    vpc = call("ec2:CreateVpc", CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = call(
        "ec2:CreateSubnet", VpcId=vpc, CidrBlock="10.20.1.0/24", AvailabilityZone=f"{REGION}a"
    )["Subnet"]["SubnetId"]
    groups = [
        call("ec2:CreateSecurityGroup", GroupName=name, Description=told, VpcId=vpc)["GroupId"]
        for name, told in (("shop-web", "HTTPS from everywhere"), ("shop-admin", "SSH"))
    ]
    profile = _role(cloud)
    image = call("ec2:DescribeImages")["Images"][0]["ImageId"]
    instance = _fleet(cloud, image, subnet, groups, profile.rpartition("/")[2])
    name = [{"Key": "Name", "Value": f"{story.HOST} (SIMULATED)"}]
    call("ec2:CreateTags", Resources=[instance], Tags=name)
    _identity(cloud, instance, profile)
    found = call("ec2:DescribeInstances", InstanceIds=[instance])
    seen = found["Reservations"][0]["Instances"][0]
    second = call("ec2:CreateNetworkInterface", SubnetId=subnet, Groups=groups[1:])
    interface = second["NetworkInterface"]["NetworkInterfaceId"]
    call("ec2:AttachNetworkInterface",
         NetworkInterfaceId=interface, InstanceId=instance, DeviceIndex=1)  # fmt: skip
    address = call("ec2:AllocateAddress", Domain="vpc")
    first = seen["NetworkInterfaces"][0]["NetworkInterfaceId"]
    call("ec2:AssociateAddress", AllocationId=address["AllocationId"], NetworkInterfaceId=first,
         PrivateIpAddress=seen["PrivateIpAddress"])  # fmt: skip
    volume = seen["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    tell(endpoint, "seeds", {volume: _blocks(cloud)})
    return Scene(endpoint, ACCOUNT, instance, first, seen["PrivateIpAddress"], address["PublicIp"],
                 vpc, subnet, groups[0], profile, image)  # fmt: skip


def _role(cloud: Any) -> str:
    profile = cloud.call("iam:CreateInstanceProfile", InstanceProfileName=story.WEB_ROLE)
    cloud.call(
        "iam:CreateRole", RoleName=story.WEB_ROLE, AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    cloud.call("iam:AddRoleToInstanceProfile", InstanceProfileName=story.WEB_ROLE,
               RoleName=story.WEB_ROLE)  # fmt: skip
    return str(profile["InstanceProfile"]["Arn"])


def _fleet(cloud: Any, image: str, subnet: str, groups: list[str], profile: str) -> str:
    template = cloud.call(
        "ec2:CreateLaunchTemplate",
        LaunchTemplateName="shop-web",
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "t3.micro",
            "SecurityGroupIds": groups,
            "IamInstanceProfile": {"Name": profile},
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 1, "DeleteOnTermination": True}}
            ],
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    cloud.call(
        "autoscaling:CreateAutoScalingGroup", AutoScalingGroupName="shop-web",
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        MinSize=1, MaxSize=2, DesiredCapacity=2, VPCZoneIdentifier=subnet,
    )  # fmt: skip
    found = cloud.call("autoscaling:DescribeAutoScalingGroups", AutoScalingGroupNames=["shop-web"])[
        "AutoScalingGroups"
    ]
    return str(found[0]["Instances"][0]["InstanceId"])


def _identity(cloud: Any, instance: str, profile: str) -> None:
    filters = [{"Name": "instance-id", "Values": [instance]}]
    known = cloud.call("ec2:DescribeIamInstanceProfileAssociations", Filters=filters)
    if not known["IamInstanceProfileAssociations"]:
        name = profile.rpartition("/")[2]
        cloud.call("ec2:AssociateIamInstanceProfile", InstanceId=instance,
                   IamInstanceProfile={"Arn": profile, "Name": name})  # fmt: skip


def _blocks(cloud: Any) -> str:
    """A snapshot with the blocks of the incident's disk image; those of zeros are left out."""
    snapshot = cloud.call("ebs:StartSnapshot", VolumeSize=1, Description="SIMULATED")
    name, count = str(snapshot["SnapshotId"]), 0
    with TemporaryDirectory() as folder:
        path = disk.write(Path(folder) / f"{story.HOST}.raw", SEED)
        with path.open("rb") as file:
            for index in range(-(-path.stat().st_size // BLOCK)):
                data = file.read(BLOCK).ljust(BLOCK, b"\0")
                if data.strip(b"\0"):
                    digest = b64encode(sha256(data).digest()).decode()
                    cloud.call("ebs:PutSnapshotBlock", SnapshotId=name, BlockIndex=index,
                               BlockData=data, DataLength=BLOCK, Checksum=digest,
                               ChecksumAlgorithm="SHA256")  # fmt: skip
                    count += 1
    cloud.call("ebs:CompleteSnapshot", SnapshotId=name, ChangedBlocksCount=count)
    return name
