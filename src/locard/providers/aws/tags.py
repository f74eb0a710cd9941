# SPDX-License-Identifier: Apache-2.0
"""The tags of a resource, by which people say what it is for and what may be done to it."""

from collections.abc import Mapping
from typing import Any

from locard.model.action import Target
from locard.model.errors import Missing
from locard.providers.aws.session import Cloud

CALLS = ("ec2:DescribeTags", "iam:ListRoleTags", "iam:ListUserTags", "s3:GetBucketTagging",
         "lambda:ListTags")  # fmt: skip
POLICY: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [*CALLS], "Resource": "*"}],
}
"""What a session may do that reads tags."""
_EC2 = ("instance", "volume", "snapshot")


def of(cloud: Cloud, target: Target) -> dict[str, str]:
    """The tags of a target. Raises `Missing` for kinds whose tags are not known to be read."""
    if target.kind in _EC2:
        wanted = [{"Name": "resource-id", "Values": [target.id]}]
        found = cloud.pages("ec2:DescribeTags", "Tags", Filters=wanted)
    elif target.kind == "role":
        found = cloud.pages("iam:ListRoleTags", "Tags", RoleName=target.id)
    elif target.kind == "user":
        found = cloud.pages("iam:ListUserTags", "Tags", UserName=target.id)
    elif target.kind == "bucket":
        found = iter(cloud.call("s3:GetBucketTagging", Bucket=target.id).get("TagSet", ()))
    elif target.kind == "function":
        name = f"arn:{cloud.partition}:lambda:{target.region}:{target.account}:function:{target.id}"
        tags = cloud.call("lambda:ListTags", Resource=name).get("Tags", {})
        return {str(key): str(value) for key, value in tags.items()}
    else:
        raise Missing(
            f"A {target.kind} has no tags that are read.", "Leave the tag out of the condition."
        )
    return {str(one["Key"]): str(one["Value"]) for one in found}
