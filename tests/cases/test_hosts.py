# SPDX-License-Identifier: Apache-2.0
"""Loose files of a machine, which say themselves whose they are and in which zone it ran."""

import io
import tarfile
from pathlib import Path

import pytest

from locard.cases.desk import Desk
from locard.cases.hosts import Hosts
from locard.cases.intake import Wish
from tests.cases.dying import killed_after
from tests.cases.test_adding import ids, sums_hold
from tests.parsers.linux_bytes import lastlog
from tests.parsers.test_disk import run, tool

LOG = b"2024-01-05 10:00:00 app[1]: by the clock on the wall\n"
FILES = {
    "var/log/syslog": LOG,
    "root/.bash_history": b"#1700000000\nid\n",
    "etc/hostname": b"berlin\n",
    "etc/timezone": b"Europe/Berlin\n",
}


def folder(at: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return at


def tarred(path: Path, root: str, files: dict[str, bytes], links: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"{root}{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for name, target in links.items():
            entry = tarfile.TarInfo(f"{root}{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return path


def told(desk: Desk, case: str = "c") -> dict[str, tuple[str, str]]:
    """Host and time by source."""
    rows = desk.timeline.page(desk.search(case, who="ana"), 100).rows
    return {str(row["source"]): (str(row["host"]), str(row["time"])) for row in rows}


def times_of(desk: Desk, case: str = "c") -> str:
    return told(desk, case)["linux.syslog"][1]


def test_a_folder_says_whose_files_are_in_it(desk: Desk, tmp_path: Path) -> None:
    one = folder(tmp_path / "hosts" / "one", FILES)
    other = {"etc/hostname": b"tokyo\n", "var/log/messages": LOG + b"\n"}
    folder(tmp_path / "hosts" / "other", other)
    (tmp_path / "hosts" / "other" / "etc" / "localtime").symlink_to(
        "../usr/share/zoneinfo/Asia/Tokyo"
    )
    desk.add("c", [tmp_path / "hosts"], who="ana")
    rows = desk.timeline.page(desk.search("c", "source:linux.syslog", who="ana"), 10).rows
    assert {(str(row["host"]), str(row["file"])) for row in rows} == {
        ("berlin", "hosts/one/var/log/syslog"), ("tokyo", "hosts/other/var/log/messages"),
    }  # fmt: skip
    assert len({str(row["time"]) for row in rows}) == 2
    assert told(desk)["linux.shell_history"][0] == "berlin"
    assert all(desk.prove(event, who="ana").passed for event in ids(desk))
    again = desk.add("c", [one], who="ana")
    assert (again.events, again.renewed_files) == (0, 0)
    sums_hold(desk)


@pytest.mark.parametrize("root", ["[root]/", "./", ""])
def test_an_archive_says_whose_files_are_in_it_also_behind_them(
    desk: Desk, tmp_path: Path, root: str
) -> None:
    path = tarred(tmp_path / "uac.tar.gz", root, FILES, {})
    desk.add("c", [path], who="ana")
    assert told(desk)["linux.syslog"][0] == "berlin"
    folder(tmp_path / "loose", FILES)
    desk.add("loose", [tmp_path / "loose"], who="ana")
    assert told(desk, "loose")["linux.syslog"] == told(desk)["linux.syslog"]
    assert all(desk.prove(event, who="ana", case="c").passed for event in ids(desk))
    assert desk.add("c", [path], who="ana").events == 0


def test_the_zone_of_an_archive_that_keeps_it_as_a_link(desk: Desk, tmp_path: Path) -> None:
    files = {"var/log/syslog": LOG, "etc/timezone": b"Asia/Tokyo\n"}
    links = {"etc/localtime": "/usr/share/zoneinfo/Europe/Berlin"}
    desk.add("c", [tarred(tmp_path / "a.tar.gz", "", files, links)], who="ana")
    desk.add("d", [folder(tmp_path / "plain", FILES)], who="ana", wish=Wish(zone="Europe/Berlin"))
    assert times_of(desk) == times_of(desk, "d")


def test_what_the_person_says_goes_before_what_the_files_say(desk: Desk, tmp_path: Path) -> None:
    wish = Wish(zone="UTC", host="web-9")
    desk.add("c", [folder(tmp_path / "in", FILES)], who="ana", wish=wish)
    desk.add("d", [folder(tmp_path / "log", {"var/log/syslog": LOG})], who="ana")
    assert told(desk)["linux.syslog"] == ("web-9", times_of(desk, "d"))


def test_an_archive_that_was_killed_half_way_ends_with_the_same_rows(
    desk: Desk, tmp_path: Path
) -> None:
    path = tarred(tmp_path / "uac.tar.gz", "[root]/", FILES, {})
    whole = Desk.at(tmp_path / "whole")
    try:
        whole.add("c", [path], who="ana")
        wanted = told(whole)
    finally:
        whole.timeline.close()
        whole.close()
    settled = "locard.cases.intake:Intake:finish"
    killed_after(2, settled.replace("finish", "flush"), desk.settings.home, "add", "c", path)
    killed_after(1, settled, desk.settings.home, "resume", "c")
    desk.add("c", [path], who="ana")
    assert told(desk) == wanted
    sums_hold(desk)


def test_images_and_archives_among_the_files_know_better(desk: Desk, tmp_path: Path) -> None:
    root = folder(tmp_path / "vm", {**FILES, "etc/hostname": b"guest\n", "etc/timezone": b"UTC\n"})
    image = tmp_path / "in" / "var" / "lib" / "images" / "vm.raw"
    folder(tmp_path / "in", FILES)
    image.parent.mkdir(parents=True)
    with image.open("wb") as stream:
        stream.truncate(8 << 20)
    run(tool("mkfs.ext4"), "-q", "-F", "-d", root, image)
    backup = {**FILES, "etc/hostname": b"other\n", "var/log/messages": LOG * 2}
    tarred(tmp_path / "in" / "root" / "backup.tar.gz", "", backup, {})
    tarred(tmp_path / "in" / "root" / "logs.tar.gz", "", {"messages": LOG * 3}, {})
    desk.add("c", [tmp_path / "in"], who="ana")
    rows = desk.timeline.page(desk.search("c", "source:linux.syslog", who="ana"), 100).rows
    hosts = {str(row["file"]): str(row["host"]) for row in rows}
    assert hosts == {
        "/var/log/syslog": "guest",
        "in/var/log/syslog": "berlin",
        "in/root/backup.tar.gz/var/log/messages": "other",
        "in/root/logs.tar.gz/messages": "berlin",
    }
    times = {str(row["file"]): str(row["time"]) for row in rows}
    assert times["/var/log/syslog"] != times["in/var/log/syslog"]
    assert all(desk.prove(str(row["id"]), who="ana").passed for row in rows)
    again = desk.add("c", [tmp_path / "in"], who="ana", wish=Wish(host="said"))
    assert again.renewed_files > 0
    rows = desk.timeline.page(desk.search("c", "source:linux.syslog", who="ana"), 100).rows
    said = {str(row["file"]): (str(row["host"]), str(row["time"])) for row in rows}
    assert said["in/var/log/syslog"] == ("said", times["in/var/log/syslog"])


PASSWD = b"""root:x:0:0:root:/root:/bin/bash
mail:x:2:2::/:/bin/false
postgres:x:105:112:PostgreSQL:/var/lib/postgresql:/bin/bash
deploy:x:3:1001::/srv/deploy/:/bin/sh
app:x:1002:1002::/app:/bin/sh
evelyn:x:1003:1003::/home/eve:/bin/sh
"""
LOGINS = (
    lastlog(1_700_000_000, b"tty1", b"") + bytes(292 * 2) + lastlog(1_700_000_100, b"pts/0", b"")
)
KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIJ1bnRydXN0ZWRrZXlieXRlc2hlcmUxMjM0NTY3 x\n"
HOMES = {
    "app/.bash_history": b"id -a\n",
    "var/log/lastlog": LOGINS,
    "srv/deploy/.bash_history": b"id\n",
    "var/lib/postgresql/.ssh/authorized_keys": KEY,
    "home/eve/.zsh_history": b"whoami\n",
    "root/.sh_history": b"id -u\n",
    "etc/hostname": b"berlin\n",
    "etc/passwd": PASSWD,
}
ACTORS = {
    "app/.bash_history": ("app",), "var/log/lastlog": ("deploy", "root"),
    "srv/deploy/.bash_history": ("deploy",), "root/.sh_history": ("root",),
    "var/lib/postgresql/.ssh/authorized_keys": ("postgres",), "home/eve/.zsh_history": ("evelyn",),
}  # fmt: skip


def actors(desk: Desk, case: str, root: str) -> dict[str, tuple[str, ...]]:
    """Who acts in the rows of each file below `root`; all must be of the host and provable."""
    rows = desk.timeline.page(desk.search(case, who="ana"), 100).rows
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        name = str(row["file"]).removeprefix(root)
        if row["source"] != "linux.users":
            found[name] = tuple(sorted({*found.get(name, ()), str(row["actor"])}))
        assert row["host"] == "berlin", name
        assert desk.prove(str(row["id"]), who="ana", case=case).passed
    return found


@pytest.mark.parametrize("root", ["[root]/", ""])
def test_passwd_says_whose_ids_and_homes_are(desk: Desk, tmp_path: Path, root: str) -> None:
    folder(tmp_path / "in" / root, HOMES)
    desk.add("c", [tmp_path / "in"], who="ana")
    assert actors(desk, "c", f"in/{root}") == ACTORS
    assert desk.add("c", [tmp_path / "in"], who="ana").renewed_files == 0
    desk.add("d", [tarred(tmp_path / "a.tar.gz", root, HOMES, {})], who="ana")
    assert actors(desk, "d", f"a.tar.gz/{root}") == ACTORS
    sums_hold(desk)


def test_the_zone_is_learned_also_when_a_person_says_the_host(desk: Desk, tmp_path: Path) -> None:
    archive = tarred(tmp_path / "a.tar.gz", "", FILES, {})
    desk.add("c", [archive], who="ana", wish=Wish(host="web-9"))
    desk.add("d", [folder(tmp_path / "in", FILES)], who="ana", wish=Wish(host="web-9"))
    assert told(desk)["linux.syslog"] == told(desk, "d")["linux.syslog"]
    assert told(desk)["linux.syslog"][0] == "web-9"


def test_all_below_the_root_of_a_whole_machine_is_of_it_but_no_trail() -> None:
    hosts = Hosts()
    for path in ("x/usr/bin/id", "x/srv/chroot/usr/bin/id"):
        hosts.saw(path)
    for root in ("x/", "y/", "uac/[root]/", "x/srv/chroot/"):
        hosts.content(f"{root}etc/hostname", root.encode())
    names = {
        path: hosts.of(path)[0]
        for path in (
            "x/data/app.log", "x/.bash_history", "y/data/app.log", "uac/[root]/data/app.log",
            "uac/uac.log", "x/data/a.json.gz", "x/AWSLogs/1/vpcflowlogs/a.log.gz", "x/opt/a.json",
            "x/srv/chroot/data/a.log",
        )
    }  # fmt: skip
    assert names == {
        "x/data/app.log": "x/", "x/.bash_history": "x/", "y/data/app.log": "",
        "uac/[root]/data/app.log": "uac/[root]/", "uac/uac.log": "", "x/data/a.json.gz": "",
        "x/AWSLogs/1/vpcflowlogs/a.log.gz": "", "x/opt/a.json": "x/",
        "x/srv/chroot/data/a.log": "x/srv/chroot/",
    }  # fmt: skip
    assert not hosts.may_be("a.zip/AWSLogs/1/CloudTrail/a.json.gz")
    assert hosts.may_be("a.zip/var/log/a.json") and hosts.may_be("a.zip/data/app.log")


def test_a_passwd_of_hostile_bytes_is_bounded() -> None:
    hosts = Hosts()
    hosts.content("x/etc/passwd", b":x:0:0::/:\nx:y\n\xff:x:9:9::/" + b"h" * 5000 + b":\nb:x:7\n")
    for number in range(40):
        lines = "".join(f"a{one}:x:{one}::::\n" for one in range(10_000)).encode()
        hosts.content(f"{number}/etc/passwd", lines)
    assert hosts.accounts("x/var/log/lastlog") == {"7": "b", "9": "\\xff"}
    assert len(hosts.accounts("0/var/log/lastlog")) == 10_000
    assert hosts.accounts("39/var/log/lastlog") == hosts.accounts("x/root/a") == {}


def test_names_and_zones_of_hostile_files_are_not_believed() -> None:
    hosts = Hosts()
    hosts.content("x/etc/timezone", b"../../../etc/passwd\n")
    hosts.content("x/etc/hostname", b"evil\x1b[31m\n")
    hosts.link("x/etc/localtime", "/usr/share/zoneinfo/../../../etc/passwd")
    assert hosts.of("x/var/log/syslog") == ("", "")
    hosts.content("x/etc/hostname", b"web-1\n")
    assert hosts.of("x/var/log/syslog") == ("web-1", "")
    assert hosts.of("x/trail/a.json") == ("", "")
    assert hosts.of("y/var/log/syslog") == ("", "")
