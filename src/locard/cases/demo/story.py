# SPDX-License-Identifier: Apache-2.0
"""The cast, the places and the clock of the simulated incident. Everything here is invented.

Addresses are from the ranges that RFC 5737 keeps for documentation, the account is the one of
AWS's own examples, and every person and company is made up. All times are UTC.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

ACCOUNT = "111122223333"
HOME_REGION = "us-east-1"
REGIONS = (HOME_REGION, "eu-west-1")
TRAIL = "simulated-trail"
TRAIL_BUCKET = f"simulated-trail-{ACCOUNT}"
EXPORTS = "larkspur-customer-exports-simulated"
ASSETS = "larkspur-shop-assets-simulated"
REPLICA = "larkspur-shop-assets-replica-simulated"
BILLING = "larkspur-billing-archive-simulated"

VPC = "vpc-0a51ca7e5d0b0f001"
SUBNET = "subnet-0a51ca7e5d0b0f002"
WEB = "i-0a51ca7e5d0b0c001"
WEB_VOLUME = "vol-0a51ca7e5d0b0d001"
JOBS = "i-0a51ca7e5d0b0c002"
WEB_INTERFACE = "eni-0a51ca7e5d0b0e001"
JOBS_INTERFACE = "eni-0a51ca7e5d0b0e002"
WEB_GROUP = "sg-0a51ca7e5d0b0a001"
ISOLATION_GROUP = "sg-0a51ca7e5d0b0a009"
WEB_PRIVATE, WEB_PUBLIC = "10.20.1.15", "198.51.100.24"
JOBS_PRIVATE, JOBS_PUBLIC = "10.20.1.22", "198.51.100.25"
DATABASE = "10.20.2.40"
LOAD_BALANCER = "10.20.1.5"
RESOLVER = "10.20.0.2"
AWS_S3, AWS_API = "198.51.100.130", "198.51.100.140"
OFFICE = "198.51.100.200"
HOST = "shop-web-1"

INTRUDER = "203.0.113.77"
INTRUDER_EXIT = "203.0.113.142"
DROP = "192.0.2.66"
POOL = "192.0.2.200"
POOL_PORT = 3333

WEB_ROLE = "shop-web-role"
JOBS_ROLE = "shop-jobs-role"
DEPLOY_ROLE = "github-deploy-role"
GUARD_ROLE = "trail-guard-role"
BACK_DOOR = "svc-backup-sync"
MIRA, JONAS, TESS = "mira.okafor", "jonas.brandt", "tess.alvarado"


def at(text: str) -> datetime:
    """`"11 01:13:40"` as a moment in March 2026, UTC."""
    day, _, clock = text.partition(" ")
    parts = [int(part) for part in clock.split(":")] if clock else [0]
    hour, minute, second = [*parts, 0, 0][:3]
    return datetime(2026, 3, int(day), hour, minute, second, tzinfo=UTC)


def nanoseconds(moment: datetime, fraction: int = 0) -> int:
    """The moment in UTC nanoseconds since 1970, `fraction` nanoseconds into its second."""
    return int(moment.timestamp()) * 10**9 + fraction


START, END = at("9"), at("13")
"""The days that the evidence covers."""

PROBED = at("10 22:14:09")
FORGED = at("11 01:12:07")
"""The web application was made to ask the metadata service."""
PLANTED = at("11 01:43:20")
"""The SSH key was planted through Systems Manager."""
STOPPED = at("11 01:44:12")
LOGGED_IN = at("11 01:45:05")
EXFILTRATED = at("11 01:48:31")
RESTARTED = at("11 01:50:31")
"""Logging was started again by an automatic guard; in between the trail is blind."""
MINED = at("11 01:58:44")
WIPED = at("11 02:07:41")
LOGGED_OUT = at("11 02:09:13")
ISOLATED = at("11 08:06:12")
ADMIN_LOGINS = (
    ("mira", "9 09:12:41", 22),
    ("mira", "10 14:31:08", 9),
    ("deploy", "10 15:02:19", 2),
)
"""Ordinary SSH sessions from the office: account, time, minutes."""
INTRUDER_PORT = 51514
IMAGED = at("11 08:09:02")
"""The snapshot behind the disk image was taken."""


def admin_port(number: int) -> int:
    """The client port of an ordinary SSH session, the same in flow log and auth log."""
    return 50_212 + 731 * number


def blind(moment: datetime) -> bool:
    """Whether the trail recorded nothing then."""
    return STOPPED < moment < RESTARTED


def token(*parts: object, length: int = 16) -> str:
    """An identifier of capital letters and digits that follows from its parts alone."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return base64.b32encode(digest).decode()[:length]


def principal(prefix: str, name: str) -> str:
    """The unique id of a user (`AIDA`) or role (`AROA`), as AWS writes them."""
    return prefix + token("principal", name, length=17)


def role_key(role: str, issued: datetime) -> str:
    """The access key id of a role's credentials that were issued at that time."""
    return "ASIA" + token("key", role, issued.isoformat())


def user_key(user: str) -> str:
    """The long-lived access key id of a user."""
    return "AKIA" + token("key", user)


def issued(instance: str, moment: datetime) -> datetime:
    """When the credentials of an instance that were in use at `moment` had been issued.

    An instance asks for new ones every hour, a minute or two past it.
    """
    past = timedelta(minutes=1 + int(instance[-1]), seconds=17)
    return (moment - past).replace(minute=0, second=0, microsecond=0) + past


STOLEN_KEY = role_key(WEB_ROLE, issued(WEB, FORGED))
BACK_DOOR_KEY = user_key(BACK_DOOR)
