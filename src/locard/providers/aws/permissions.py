# SPDX-License-Identifier: Apache-2.0
"""What AWS's policies call the calls of its API, where the two have different names."""

_OTHERWISE = {
    "lambda:GetLayerVersionByArn": "lambda:GetLayerVersion",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:PutBucketReplication": "s3:PutReplicationConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}

_SERVICES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing"}
"""Services that policies call otherwise than the SDK does."""


def permission_of(call: str) -> str:
    """The permission that a call needs: `s3:HeadBucket` needs `s3:ListBucket`."""
    service, _, operation = call.partition(":")
    return _OTHERWISE.get(call, f"{_SERVICES.get(service, service)}:{operation}")
