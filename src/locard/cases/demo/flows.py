# SPDX-License-Identifier: Apache-2.0
"""VPC flow logs (version 5, as delivered to S3) that agree with trail and disk of the incident.

A connection becomes two records, one for each direction, over an interval of up to ten minutes.
Requests to the metadata service (169.254.169.254) are not in flow logs, as in AWS.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from . import story
from .packed import gzip, put
from .story import at

FIELDS = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start "
    "end action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr "
    "region az-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"
)
_SERVICES = {story.AWS_S3: "S3", story.AWS_API: "AMAZON"}
_INTERNET_GATEWAY, _SAME_VPC = "8", "1"
TCP, UDP = 6, 17
SYN_FIN, SYN_ACK_FIN, SYN = 3, 19, 2


@dataclass(slots=True)
class Flows:
    """Takes connections in any order and writes one file for each hour."""

    random: Random
    lines: list[tuple[datetime, str]] = field(default_factory=list)

    def connection(
        self, start: datetime, seconds: int, inside: str, outside: str, *, port: int,
        sent: int, received: int, inward: bool = False, protocol: int = TCP,
        accepted: bool = True, ephemeral: int = 0,
    ) -> None:  # fmt: skip
        """Append a connection of an address of ours (`inside`) with `outside` at `port`.

        `sent` and `received` are bytes as seen from inside; with `inward` the other side connected
        to us. A refused connection has one record, that of its first direction.
        """
        end = start + timedelta(seconds=seconds)
        if end >= story.END:
            return
        client = ephemeral or self.random.randrange(32768, 60999)
        ours, theirs = (port, client) if inward else (client, port)
        flags = (SYN_FIN, SYN_ACK_FIN) if protocol == TCP else (0, 0)
        if accepted or not inward:
            self._line(
                start, end, inside, outside, (ours, theirs), protocol, sent,
                (flags[1] if inward else flags[0]) if accepted else SYN, accepted, "egress",
            )  # fmt: skip
        if accepted or inward:
            self._line(
                start, end, outside, inside, (theirs, ours), protocol, received,
                (flags[0] if inward else flags[1]) if accepted else SYN, accepted, "ingress",
            )  # fmt: skip

    def quiet(self, start: datetime, interface: str) -> None:
        """Append an interval in which an interface saw nothing."""
        end = int(start.timestamp()) + 600
        line = (
            f"5 {story.ACCOUNT} {interface} - - - - - - - {int(start.timestamp())} {end} - NODATA "
            + " ".join("-" * 13)
        )
        self.lines.append((start, line))

    def write(self, folder: Path) -> list[Path]:
        """Write the files below `folder` and return their paths."""
        hours: dict[datetime, list[tuple[datetime, str]]] = {}
        for moment, line in sorted(self.lines):
            hours.setdefault(moment.replace(minute=0, second=0), []).append((moment, line))
        written = []
        for hour, lines in hours.items():
            name = (
                f"{story.ACCOUNT}_vpcflowlogs_{story.HOME_REGION}_fl-0a51ca7e5d0b00f10_"
                f"{hour:%Y%m%dT%H%MZ}_{story.token('flows', hour.isoformat(), length=8).lower()}"
            )
            path = folder / f"AWSLogs/{story.ACCOUNT}/vpcflowlogs/{story.HOME_REGION}"
            text = "\n".join([FIELDS, *(line for _, line in lines)]) + "\n"
            written.append(put(path / f"{hour:%Y/%m/%d}/{name}.log.gz", gzip(text.encode())))
        return written

    def _line(
        self, start: datetime, end: datetime, source: str, target: str, ports: tuple[int, int],
        protocol: int, size: int, flags: int, accepted: bool, direction: str,
    ) -> None:  # fmt: skip
        jobs = story.JOBS_PRIVATE in (source, target)
        interface = story.JOBS_INTERFACE if jobs else story.WEB_INTERFACE
        instance = story.JOBS if jobs else story.WEB
        packets = max(1, size // 1100 + 3) if accepted else max(1, size // 60)
        path = "-"
        if direction == "egress":
            path = _SAME_VPC if target.startswith("10.20.") else _INTERNET_GATEWAY
        line = (
            f"5 {story.ACCOUNT} {interface} {source} {target} {ports[0]} {ports[1]} {protocol} "
            f"{packets} {size} {int(start.timestamp())} {int(end.timestamp())} "
            f"{'ACCEPT' if accepted else 'REJECT'} OK {story.VPC} {story.SUBNET} {instance} "
            f"{flags} IPv4 {source} {target} {story.HOME_REGION} use1-az2 "
            f"{_SERVICES.get(source, '-')} {_SERVICES.get(target, '-')} {direction} {path}"
        )
        self.lines.append((start, line))


def fill(flows: Flows, random: Random) -> None:
    """Append four days of ordinary traffic and the intrusion."""
    _visitors(flows, random)
    _inside(flows, random)
    _scanners(flows, random)
    _intrusion(flows, random)


def times(random: Random, minutes: float) -> Iterator[datetime]:
    """Moments about `minutes` apart over all four days, fewer at night."""
    moment = story.START
    while True:
        night = 2.5 if moment.hour < 6 else 1.0
        moment += timedelta(seconds=max(1.0, random.expovariate(1 / (minutes * 60 * night))))
        if moment >= story.END:
            return
        yield moment.replace(microsecond=0)


def _isolated(moment: datetime) -> bool:
    return moment >= story.ISOLATED


def _visitors(flows: Flows, random: Random) -> None:
    """Customers come through the load balancer until the instance is isolated."""
    for moment in times(random, 0.8):
        if not _isolated(moment):
            flows.connection(
                moment, random.randrange(1, 60), story.WEB_PRIVATE, story.LOAD_BALANCER, port=8080,
                sent=random.randrange(4_000, 250_000), received=random.randrange(600, 6_000),
                inward=True,
            )  # fmt: skip


def _inside(flows: Flows, random: Random) -> None:
    """Names, database, S3 and the AWS APIs."""
    web, jobs = story.WEB_PRIVATE, story.JOBS_PRIVATE
    for moment in times(random, 6):
        host = random.choice((web, jobs))
        if host == jobs or not _isolated(moment):
            flows.connection(
                moment, random.randrange(1, 30), host, story.RESOLVER, port=53, protocol=UDP,
                sent=random.randrange(60, 400), received=random.randrange(100, 900),
            )  # fmt: skip
    for moment in times(random, 5):
        host = random.choice((web, web, jobs))
        if host == jobs or not _isolated(moment):
            flows.connection(
                moment, random.randrange(20, 590), host, story.DATABASE, port=5432,
                sent=random.randrange(2_000, 90_000), received=random.randrange(8_000, 900_000),
            )  # fmt: skip
    for moment in times(random, 5):
        host = random.choice((web, jobs))
        if host == jobs or not _isolated(moment):
            flows.connection(
                moment, random.randrange(1, 120), host,
                random.choice((story.AWS_S3, story.AWS_API)), port=443,
                sent=random.randrange(1_500, 60_000), received=random.randrange(4_000, 700_000),
            )  # fmt: skip
    for moment in times(random, 240):
        flows.quiet(moment, "eni-0a51ca7e5d0b0e003")


def _scanners(flows: Flows, random: Random) -> None:
    """The internet knocks on every door all day long."""
    doors = (22, 23, 80, 445, 1433, 3306, 3389, 5900, 6379, 8080, 8443, 9200)
    for moment in times(random, 1.3):
        host = random.choice((story.WEB_PRIVATE, story.JOBS_PRIVATE))
        address = f"{random.choice(('203.0.113', '198.51.100'))}.{random.randrange(1, 120)}"
        if address in (story.INTRUDER, story.WEB_PUBLIC, story.JOBS_PUBLIC):
            continue
        flows.connection(
            moment, random.randrange(0, 3), host, address, port=random.choice(doors),
            sent=0, received=random.choice((40, 44, 60)), inward=True, accepted=False,
        )  # fmt: skip


def _intrusion(flows: Flows, random: Random) -> None:
    web = story.WEB_PRIVATE
    for number, (_, clock, minutes) in enumerate(story.ADMIN_LOGINS):
        flows.connection(
            at(clock), min(590, minutes * 60), web, story.OFFICE, port=22,
            sent=random.randrange(20_000, 60_000), received=random.randrange(8_000, 20_000),
            inward=True, ephemeral=story.admin_port(number),
        )  # fmt: skip
    for minute in range(0, 24, 8):
        flows.connection(
            at("11 01:45:05") + timedelta(minutes=minute), 479, web, story.INTRUDER_EXIT, port=22,
            sent=random.randrange(20_000, 90_000), received=random.randrange(9_000, 30_000),
            inward=True, ephemeral=story.INTRUDER_PORT,
        )  # fmt: skip
    flows.connection(at("11 01:45:58"), 3, web, story.DROP, port=80, sent=812, received=2_318_604)
    flows.connection(
        at("11 01:46:40"), 68, web, story.AWS_S3, port=443, sent=96_311, received=486_720_118
    )
    flows.connection(
        story.EXFILTRATED, 77, web, story.DROP, port=443, sent=484_113_902, received=1_204_557
    )
    moment = story.MINED
    while moment < at("11 10"):
        refused = _isolated(moment)
        flows.connection(
            moment, 0 if refused else 590, web, story.POOL, port=story.POOL_PORT,
            sent=60 if refused else random.randrange(38_000, 52_000),
            received=random.randrange(60_000, 90_000), accepted=not refused,
        )  # fmt: skip
        moment += timedelta(minutes=10)
    for clock in ("11 08:31:44", "11 08:31:47", "11 08:31:53", "11 13:05:02", "11 13:05:05"):
        flows.connection(
            at(clock), 0, web, story.INTRUDER_EXIT, port=22, sent=0, received=60, inward=True,
            accepted=False,
        )  # fmt: skip
