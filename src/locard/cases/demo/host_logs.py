# SPDX-License-Identifier: Apache-2.0
"""The logs on the disk of the web server: text of syslog, sshd, sudo, nginx, dpkg, and wtmp."""

import base64
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from random import Random

from . import story
from .story import at

BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/133.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0",
)
PAGES = ("/", "/products/rain-jacket", "/products/trail-shoe", "/cart", "/api/search?q=tent",
         "/static/site.css", "/static/site.js", "/products/wool-hat", "/checkout")  # fmt: skip
PROBES = ("/.env", "/.git/config", "/wp-login.php", "/actuator/env", "/server-status", "/admin",
          "/api/v1/users", "/api/preview", "/phpinfo.php", "/backup.zip")  # fmt: skip
METADATA = "http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data%2F"
CRON_MINER = "/var/tmp/.cache-fonts/fontcached --quiet # SIMULATED"  # noqa: S108


def public_key(name: str) -> tuple[str, str]:
    """A key nobody has the secret of: its line for `authorized_keys`, and its fingerprint."""
    secretless = hashlib.sha256(f"simulated key of {name}".encode()).digest()
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + secretless
    print_ = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {name}", f"SHA256:{print_}"


@dataclass(slots=True)
class Lines:
    """Lines of one syslog file, in any order until they are written."""

    random: Random
    lines: list[tuple[datetime, str]] = field(default_factory=list)

    def add(self, moment: datetime, program: str, text: str) -> None:
        """Append one line; microseconds are made up when the moment has none."""
        if moment.microsecond == 0:
            moment += timedelta(microseconds=self.random.randrange(1, 900_000))
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S.%f}+00:00"
        self.lines.append((moment, f"{stamp} {story.HOST} {program}: {text}"))

    def text(self) -> bytes:
        """The file, oldest line first."""
        return "".join(f"{line}\n" for _, line in sorted(self.lines)).encode()


def auth(random: Random) -> bytes:
    """`/var/log/auth.log`: who came in, and what they did as root."""
    log = Lines(random)
    for moment in _hours(17):
        pid = random.randrange(2_000, 60_000)
        who = "pam_unix(cron:session): session"
        log.add(moment, f"CRON[{pid}]", f"{who} opened for user root(uid=0) by root(uid=0)")
        later = moment + timedelta(seconds=1)
        log.add(later, f"CRON[{pid}]", f"{who} closed for user root")
    for number, (name, clock, minutes) in enumerate(story.ADMIN_LOGINS):
        start, port = at(clock), story.admin_port(number)
        _session(
            log, name, start, start + timedelta(minutes=minutes), story.OFFICE, port,
            f"{name}@larkspur", 4100 + number,
        )  # fmt: skip
    _sudo(log, at("9 09:14:02"), "mira", "/usr/bin/apt-get update")
    _sudo(log, at("9 09:15:31"), "mira", "/usr/bin/apt-get install -y htop")
    _sudo(log, at("10 14:33:40"), "mira", "/usr/bin/systemctl restart shop")
    _session(
        log, "deploy", story.LOGGED_IN, story.LOGGED_OUT, story.INTRUDER_EXIT,
        story.INTRUDER_PORT, "backup", 18233,
    )  # fmt: skip
    _sudo(log, at("11 01:45:31"), "deploy", "list")
    _sudo(log, at("11 01:45:40"), "deploy", "/usr/bin/su -")
    log.add(at("11 01:45:41"), "su[18260]", "(to root) root on pts/1")
    log.add(
        at("11 01:45:41"), "su[18260]",
        "pam_unix(su-l:session): session opened for user root(uid=0) by deploy(uid=0)",
    )  # fmt: skip
    log.add(at("11 02:09:12"), "su[18260]", "pam_unix(su-l:session): session closed for user root")
    return log.text()


def _session(
    log: Lines, name: str, start: datetime, end: datetime, address: str, port: int, key: str,
    pid: int,
) -> None:  # fmt: skip
    uid = {"mira": 1000, "deploy": 1001}[name]
    sshd = f"sshd[{pid}]"
    fingerprint = public_key(key)[1]
    log.add(
        start, sshd,
        f"Accepted publickey for {name} from {address} port {port} ssh2: ED25519 {fingerprint}",
    )  # fmt: skip
    opened = f"pam_unix(sshd:session): session opened for user {name}(uid={uid}) by {name}(uid=0)"
    log.add(start + timedelta(seconds=1), sshd, opened)
    log.add(
        start + timedelta(seconds=1), "systemd-logind[611]", f"New session {pid} of user {name}."
    )
    log.add(
        end,
        f"sshd[{pid + 7}]",
        f"Received disconnect from {address} port {port}:11: disconnected by user",
    )
    log.add(end, sshd, f"pam_unix(sshd:session): session closed for user {name}")


def _sudo(log: Lines, moment: datetime, name: str, command: str) -> None:
    log.add(
        moment, "sudo", f"  {name} : TTY=pts/1 ; PWD=/home/{name} ; USER=root ; COMMAND={command}"
    )


def system(random: Random) -> bytes:
    """`/var/log/syslog`: services, scheduled jobs, and the agent that ran a foreign command."""
    log = Lines(random)
    for moment in _hours(17):
        pid = random.randrange(2_000, 60_000)
        log.add(moment, f"CRON[{pid}]", "(root) CMD (cd / && run-parts --report /etc/cron.hourly)")
    for moment in _hours(random.randrange(20, 40)):
        log.add(moment, "systemd[1]", "Starting fwupd-refresh.service - Refresh fwupd metadata...")
        log.add(
            moment + timedelta(seconds=2),
            "systemd[1]",
            "fwupd-refresh.service: Deactivated successfully.",
        )
    for moment in _hours(51):
        log.add(
            moment,
            "amazon-ssm-agent.amazon-ssm-agent[702]",
            "INFO [HealthCheck] HealthCheck reporting agent health.",
        )
    log.add(at("10 14:33:41"), "systemd[1]", "Stopping shop.service - Larkspur shop (SIMULATED)...")
    log.add(at("10 14:33:43"), "systemd[1]", "Started shop.service - Larkspur shop (SIMULATED).")
    log.add(
        story.FORGED,
        "shop[1044]",
        "preview: fetching http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    )
    log.add(
        story.PLANTED + timedelta(seconds=2), "amazon-ssm-agent.amazon-ssm-agent[702]",
        "INFO [ssm-agent-worker] [MessageService] received command "
        "5d0b0a51-ca7e-4f00-8a51-000000000001 AWS-RunShellScript",
    )  # fmt: skip
    log.add(
        story.MINED,
        "cron[588]",
        "(*system*fontcache-refresh) RELOAD (/etc/cron.d/fontcache-refresh)",
    )
    moment = at("11 02")
    while moment < story.IMAGED:
        pid = random.randrange(18_300, 29_000)
        log.add(moment + timedelta(seconds=1), f"CRON[{pid}]", f"(root) CMD ({CRON_MINER})")
        log.add(
            moment + timedelta(seconds=3),
            "fontcached[18411]",
            f"connected to {story.POOL}:{story.POOL_PORT} (SIMULATED)",
        )
        moment += timedelta(minutes=10)
    return log.text()


def _hours(minute: int) -> Iterable[datetime]:
    moment = at("8") + timedelta(minutes=minute)
    while moment < story.IMAGED:
        yield moment + timedelta(seconds=1)
        moment += timedelta(hours=1)


def access(random: Random, start: datetime, end: datetime) -> bytes:
    """An access log of nginx for `start` to `end`: customers, one scan, and the forged requests."""
    lines: list[tuple[datetime, str]] = []

    def add(moment: datetime, address: str, path: str, status: int, size: int, agent: str) -> None:
        if start <= moment < end:
            stamp = f"{moment:%d/%b/%Y:%H:%M:%S} +0000"
            lines.append(
                (
                    moment,
                    f'{address} - - [{stamp}] "GET {path} HTTP/1.1" {status} {size} "-" "{agent}"',
                )
            )

    moment = start
    while moment < min(end, story.ISOLATED):
        night = 2.5 if moment.hour < 6 else 1.0
        moment += timedelta(seconds=1 + int(random.expovariate(1 / (70 * night))))
        if moment < story.ISOLATED:
            address = f"{random.choice(('192.0.2', '203.0.113'))}.{random.randrange(160, 199)}"
            add(
                moment,
                address,
                random.choice(PAGES),
                200,
                random.randrange(900, 48_000),
                random.choice(BROWSERS),
            )
    tool = "python-requests/2.32.3"
    for number in range(60):
        probe = PROBES[number % len(PROBES)] + (f"?v={number}" if number >= len(PROBES) else "")
        add(story.PROBED + timedelta(seconds=number * 23), story.INTRUDER, probe, 404, 153, tool)
    add(
        at("10 22:38:02"),
        story.INTRUDER,
        "/api/preview?url=http%3A%2F%2F192.0.2.66%2Fping",
        200,
        4,
        tool,
    )
    for seconds, path, size in (
        (0, "iam%2Fsecurity-credentials%2F", 13),
        (19, f"iam%2Fsecurity-credentials%2F{story.WEB_ROLE}", 1_390),
        (33, "placement%2Fregion", 9),
        (41, "instance-id", 19),
    ):
        add(
            story.FORGED + timedelta(seconds=seconds),
            story.INTRUDER,
            f"/api/preview?url={METADATA}{path}",
            200,
            size,
            tool,
        )
    return "".join(f"{line}\n" for _, line in sorted(lines)).encode()


def packages() -> bytes:
    """`/var/log/dpkg.log`: one package that an engineer installed, and the nightly upgrades."""
    lines = []
    for clock, name, old, new in (
        ("9 06:31:14", "tzdata:all", "2025a-0ubuntu0.24.04", "2025b-0ubuntu0.24.04"),
        ("9 09:15:36", "htop:amd64", "<none>", "3.3.0-4build1"),
        ("10 06:44:50", "openssl:amd64", "3.0.13-0ubuntu3.4", "3.0.13-0ubuntu3.5"),
        ("10 06:44:52", "libssl3t64:amd64", "3.0.13-0ubuntu3.4", "3.0.13-0ubuntu3.5"),
    ):
        stamp = f"{at(clock):%Y-%m-%d %H:%M:%S}"
        verb = "install" if old == "<none>" else "upgrade"
        lines += [
            f"{stamp} startup archives unpack", f"{stamp} {verb} {name} {old} {new}",
            f"{stamp} status half-installed {name} {new}", f"{stamp} status unpacked {name} {new}",
            f"{stamp} configure {name} {new} <none>", f"{stamp} status installed {name} {new}",
        ]  # fmt: skip
    return "".join(f"{line}\n" for line in lines).encode()


def logins() -> bytes:
    """`/var/log/wtmp`: boot and sessions as 384-byte records (utmp(5) on x86-64)."""
    boot = at("8 04:11:20")
    records = [_utmp(2, 0, "~", "~~", "reboot", "6.8.0-1021-aws", boot)]
    records.append(
        _utmp(1, 53, "~", "~~", "runlevel", "6.8.0-1021-aws", boot + timedelta(seconds=9))
    )
    sessions = [
        (name, at(clock), at(clock) + timedelta(minutes=minutes), story.OFFICE, 4100 + number)
        for number, (name, clock, minutes) in enumerate(story.ADMIN_LOGINS)
    ]
    sessions.append(("deploy", story.LOGGED_IN, story.LOGGED_OUT, story.INTRUDER_EXIT, 18233))
    for name, start, end, address, pid in sessions:
        records.append(_utmp(7, pid, "pts/1", "ts/1", name, address, start + timedelta(seconds=1)))
        records.append(_utmp(8, pid, "pts/1", "", "", "", end))
    return b"".join(records)


def _utmp(
    kind: int, pid: int, line: str, mark: str, name: str, host: str, moment: datetime
) -> bytes:
    try:
        address = ip_address(host).packed.ljust(16, b"\0")
    except ValueError:
        address = bytes(16)
    return struct.pack(
        "<hxxi32s4s32s256shhiII16s20s", kind, pid, line.encode(), mark.encode(), name.encode(),
        host.encode(), 0, 0, 0, int(moment.timestamp()), 417_003, address, b"",
    )  # fmt: skip
