# SPDX-License-Identifier: Apache-2.0
"""Images of which it is the question whose they are: several systems, homes in odd places."""

import struct

import pytest

from tests.parsers.test_disk import read, run, tool

_SIZE = 8 << 20
BERLIN = {
    "etc/hostname": b"berlin\n",
    "etc/timezone": b"Europe/Berlin\n",
    "etc/passwd": b"root:x:0:0::/root:/bin/bash\n.evil:x:1000:1000::/home/.evil:/bin/zsh\n"
    b"svc:x:1001:1001::/srv/svc:/bin/sh\nodd:x:1002:1002::/u01/[a]*:/bin/sh\n"
    b"away:x:1003:1003::/data/away:/bin/sh\n",
    "etc/fstab": b"UUID=11111111-2222-3333-4444-555555555555 /data ext4 defaults 0 0\n",
    "home/.evil/.zsh_history": b": 1700000000:0;hidden\n",
    "srv/svc/.bash_history": b"served\n",
    "srv/svc/.ssh/authorized_keys": b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB backdoor\n",
    "u01/[a]*/.bash_history": b"literal\n",
    "u01/a/.bash_history": b"of nobody\n",
    "var/log/syslog": b"2024-01-05 10:00:00 berlin app[1]: local time\n",
}
TOKYO = {
    "etc/hostname": b"tokyo\n",
    "etc/timezone": b"Asia/Tokyo\n",
    "etc/passwd": b"root:x:0:0::/root:/bin/bash\n",
    "root/.bash_history": b"second\n",
    "var/log/syslog": b"2024-01-05 10:00:00 tokyo app[1]: local time\n",
}
DATA = {"away/.bash_history": b"elsewhere\n", "notes": b"x"}


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """Two systems and a data volume of the first, in the partitions of one disk."""
    folder = tmp_path_factory.mktemp("machines")
    parts = []
    for number, files in enumerate((BERLIN, TOKYO, DATA)):
        for name, data in files.items():
            path = folder / f"{number}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        part = folder / f"{number}.raw"
        with part.open("wb") as stream:
            stream.truncate(_SIZE)
        named = ["-U", "11111111-2222-3333-4444-555555555555"] if files is DATA else []
        run(tool("mkfs.ext4"), "-q", "-F", *named, "-d", folder / f"{number}", part)
        parts.append(part.read_bytes())
    entries = b"".join(
        struct.pack("<B3sB3sII", 0, b"", 0x83, b"", 2048 + number * _SIZE // 512, _SIZE // 512)
        for number in range(3)
    )
    path = folder / "disk.raw"
    boot = bytes(446) + entries.ljust(64, b"\0") + b"\x55\xaa"
    path.write_bytes(boot.ljust(2048 * 512, b"\0") + b"".join(parts))
    return path


def test_histories_are_found_in_every_home_that_passwd_names(disk):
    rows = read(disk).of("linux.shell_history")
    assert {(row["actor"], row["message"], row["file"]) for row in rows} == {
        (".evil", "hidden", "/home/.evil/.zsh_history"),
        ("svc", "served", "/srv/svc/.bash_history"),
        ("odd", "literal", "/u01/[a]*/.bash_history"),
        ("away", "elsewhere", "/away/.bash_history"),
        ("root", "second", "/root/.bash_history"),
    }


def test_each_system_of_a_disk_keeps_its_host_and_zone(disk):
    rows = read(disk)
    logs = {row["locator"].split("/")[0]: row for row in rows.of("linux.syslog")}
    assert logs["p1"]["time"] == 1_704_445_200_000_000_000
    assert logs["p2"]["time"] == 1_704_416_400_000_000_000
    hosts = {row["locator"].split("/")[0]: row["host"] for row in rows.of("disk.filesystem")}
    assert hosts == {"p1": "berlin", "p2": "tokyo", "p3": "berlin"}
    assert rows.facts["host"] == "berlin, tokyo"


def test_rows_of_every_system_can_be_read_again_by_their_locators(disk):
    for row in read(disk).of("linux.shell_history"):
        again = read(disk, only=row["locator"])
        assert [(one["id"], one["actor"], one["host"]) for one in again] == [
            (row["id"], row["actor"], row["host"])
        ]


def test_a_link_that_leads_to_itself_hides_no_other_home(tmp_path):
    root = tmp_path / "root"
    (root / "home/eve").mkdir(parents=True)
    (root / "home/eve/.bash_history").write_bytes(b"found\n")
    (root / "home/a").symlink_to("a")
    (root / "home/eve/.zsh_history").symlink_to(".zsh_history")
    path = tmp_path / "loop.raw"
    with path.open("wb") as stream:
        stream.truncate(_SIZE)
    run(tool("mkfs.ext4"), "-q", "-F", "-d", root, path)
    rows = read(path)
    assert [row["message"] for row in rows.of("linux.shell_history")] == ["found"]
    assert rows.problems == 0
