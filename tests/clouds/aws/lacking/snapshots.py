# SPDX-License-Identifier: Apache-2.0
"""`ec2:LockSnapshot`, and copies of snapshots that another account has shared.

A lock is kept and holds: a locked snapshot is not deleted. moto looks for the source of a copy in
the same account only; here it is found in every account that shares it, and one that is encrypted
only where its key was granted, as EC2 does it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.ec2.exceptions import InvalidSnapshotIdError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.kms.models import Key

from tests.clouds.aws.lacking import Answer, Asked

LOCKS: dict[str, str] = {}
"""Modes by snapshot."""
SPACE = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


def lock(asked: Asked) -> Answer:
    """Lock it for so many days."""
    form = {name: values[0] for name, values in asked.form.items()}
    name, mode, days = form["SnapshotId"], form["LockMode"], int(form["LockDuration"])
    now = datetime.now(UTC)
    LOCKS[name] = mode
    state = "compliance-cooloff" if form.get("CoolOffPeriod") else mode
    inner = (
        f"<snapshotId>{name}</snapshotId><lockState>{state}</lockState>"
        f"<lockDuration>{days}</lockDuration><lockCreatedOn>{now.isoformat()}</lockCreatedOn>"
        f"<lockExpiresOn>{(now + timedelta(days=days)).isoformat()}</lockExpiresOn>"
    )
    body = f"<LockSnapshotResponse {SPACE}><requestId>r</requestId>{inner}</LockSnapshotResponse>"
    return Answer(body, kind="text/xml")


def delete(asked: Asked) -> Answer | None:
    """Not what is locked."""
    if asked.form["SnapshotId"][0] not in LOCKS:
        return None
    error = "<Error><Code>SnapshotLocked</Code><Message>it is locked</Message></Error>"
    body = f"<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"
    return Answer(body, "400 Bad Request", "text/xml")


_copy = EC2Backend.copy_snapshot


def _from_others(self: Any, source_snapshot_id: str, source_region: str, *given: Any,
                 **named: Any) -> Any:  # fmt: skip
    for number, account in list(ec2_backends.items()):
        backend = account[source_region]
        found = backend.snapshots.get(source_snapshot_id)
        if found is None:
            continue
        mine = number == self.account_id
        if not mine and self.account_id not in found.create_volume_permission_userids:
            break
        self.snapshots.setdefault(source_snapshot_id, found)
        try:
            copied = _copy(self, source_snapshot_id, source_region, *given, **named)
        finally:
            if not mine:
                del self.snapshots[source_snapshot_id]
        copied.volume = found.volume
        return copied
    raise InvalidSnapshotIdError


EC2Backend.copy_snapshot = _from_others  # type: ignore[method-assign]


def _manager(self: Any) -> str:
    """moto says of the account's default key that it is the customer's; AWS says that it is its."""
    return "AWS" if self.description.startswith("Default master key") else "CUSTOMER"


Key.key_manager = property(_manager, lambda self, value: None)  # type: ignore[assignment]

ANSWERS = {"ec2:LockSnapshot": lock, "ec2:DeleteSnapshot": delete}
