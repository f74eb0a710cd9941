# SPDX-License-Identifier: Apache-2.0
"""The GuardDuty finding about the compromised instance, as EventBridge delivers one.

Its shape is that of GuardDuty's own sample findings; what it says is invented and says so.
"""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from locard.cases.demo import story
from locard.cases.demo.cloud.account import ACCOUNT, REGION, Scene


def finding(scene: Scene) -> bytes:
    """The event of a cryptocurrency-mining finding about the instance, of this minute."""
    now = datetime.now(UTC)
    first = (now - timedelta(minutes=9)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    last = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    number, detector = secrets.token_hex(16), secrets.token_hex(16)
    arn = f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/{detector}"
    detail: dict[str, Any] = {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "id": number,
        "arn": f"{arn}/finding/{number}",
        "type": "CryptoCurrency:EC2/BitcoinTool.B",
        "resource": _resource(scene),
        "service": {
            "serviceName": "guardduty",
            "detectorId": detector,
            "action": _action(),
            "resourceRole": "TARGET",
            "additionalInfo": {"threatListName": "SIMULATED"},
            "eventFirstSeen": first,
            "eventLastSeen": last,
            "archived": False,
            "count": 4,
        },
        "severity": 8,
        "createdAt": first,
        "updatedAt": last,
        "title": f"SIMULATED: {scene.instance} talks to a pool of Bitcoin miners",
        "description": f"SIMULATED. The EC2 instance {scene.instance} communicates with an "
        "address that is associated with Bitcoin-related activity.",
    }
    event = {
        "version": "0",
        "id": secrets.token_hex(16),
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": ACCOUNT,
        "time": last,
        "region": REGION,
        "resources": [],
        "detail": detail,
    }
    return json.dumps(event, indent=1).encode()


def _resource(scene: Scene) -> dict[str, Any]:
    return {
        "resourceType": "Instance",
        "instanceDetails": {
            "instanceId": scene.instance,
            "instanceType": "t3.micro",
            "availabilityZone": f"{REGION}a",
            "imageId": scene.image,
            "instanceState": "running",
            "iamInstanceProfile": {"arn": scene.profile, "id": "AIPASIMULATED"},
            "networkInterfaces": [
                {
                    "networkInterfaceId": scene.interface,
                    "privateIpAddress": scene.private,
                    "publicIp": scene.public,
                    "subnetId": scene.subnet,
                    "vpcId": scene.vpc,
                    "securityGroups": [{"groupId": scene.group, "groupName": "shop-web"}],
                }
            ],
            "tags": [{"key": "Name", "value": f"{story.HOST} (SIMULATED)"}],
        },
    }


def _action() -> dict[str, Any]:
    return {
        "actionType": "NETWORK_CONNECTION",
        "networkConnectionAction": {
            "connectionDirection": "OUTBOUND",
            "protocol": "TCP",
            "blocked": False,
            "localPortDetails": {"port": 51234, "portName": "Unknown"},
            "remotePortDetails": {"port": story.POOL_PORT, "portName": "Unknown"},
            "remoteIpDetails": {"ipAddressV4": story.POOL},
        },
    }
