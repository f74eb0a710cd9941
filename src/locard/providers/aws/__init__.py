# SPDX-License-Identifier: Apache-2.0
"""Amazon Web Services, and whatever speaks S3."""

SCHEME = "s3"
EXTRA = "aws"
SDK = "boto3"
