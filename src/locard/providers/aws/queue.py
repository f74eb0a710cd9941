# SPDX-License-Identifier: Apache-2.0
"""Messages of an SQS queue, one batch after the other; what SNS has wrapped is taken out of it."""

import json
from collections.abc import Mapping
from typing import Any

from locard.model.alert import Message
from locard.providers.aws.session import Cloud

BATCH = 10
"""The most that SQS gives at once."""


def policy(address: str, account: str) -> Mapping[str, Any]:
    """What a session may do that reads this queue and takes out of it what was recorded."""
    host, _, name = address.rstrip("/").rpartition("/")
    partition = "aws-cn" if ".cn/" in host else "aws-us-gov" if ".us-gov-" in host else "aws"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
                "Resource": f"arn:{partition}:sqs:*:{account}:{name}",
            },
            {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*"},
        ],
    }


class Queue:
    """One queue."""

    def __init__(self, cloud: Cloud, address: str) -> None:
        self.cloud, self.address = cloud, address

    def receive(self, seconds: int) -> list[Message]:
        """The next messages, waited for at most so long. They come again unless deleted."""
        found = self.cloud.call(
            "sqs:ReceiveMessage",
            QueueUrl=self.address,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Message(
                id=str(one["MessageId"]),
                body=str(one["Body"]).encode(),
                content=_inside(str(one["Body"])),
                receipt=str(one["ReceiptHandle"]),
                times=int(one.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for one in found.get("Messages", ())
        ]

    def delete(self, message: Message) -> None:
        """Take a message out of the queue for good."""
        self.cloud.call("sqs:DeleteMessage", QueueUrl=self.address, ReceiptHandle=message.receipt)


def _inside(body: str) -> bytes:
    """What a topic of SNS was given, when the message came through one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body.encode()
    if (
        isinstance(found, dict)
        and found.get("Type") == "Notification"
        and str(found.get("TopicArn", "")).startswith("arn:")
        and isinstance(found.get("Message"), str)
    ):
        return str(found["Message"]).encode()
    return body.encode()
