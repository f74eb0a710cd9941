# SPDX-License-Identifier: Apache-2.0
"""The file system writer and the simulated disk, as e2fsck, the Sleuth Kit and dissect see them."""

import shutil
import subprocess
from stat import S_IFDIR, S_IFLNK, S_IFREG

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locard.cases.demo import SEED, disk, host_logs, story
from locard.cases.demo.ext import BLOCK, Node, Times, build
from locard.cases.demo.story import at, nanoseconds

STILL = Times(1_773_191_527_123_456_789, 1, 2, 3)
E2FSCK = shutil.which("e2fsck") or shutil.which("e2fsck", path="/usr/sbin:/sbin")


def check(path):
    """What e2fsck has to say; nothing may be wrong."""
    if E2FSCK is None:
        pytest.skip("e2fsck is not installed (package e2fsprogs)")
    done = subprocess.run([E2FSCK, "-fn", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return disk.write(tmp_path_factory.mktemp("disk") / "disk.raw", SEED)


@pytest.fixture(scope="module")
def volume(image):
    pytsk3 = pytest.importorskip("pytsk3")
    return pytsk3.FS_Info(pytsk3.Img_Info(str(image)), offset=disk.FIRST_SECTOR * disk.SECTOR)


def test_e2fsck_finds_nothing_wrong(image, tmp_path):
    partition = tmp_path / "partition"
    partition.write_bytes(image.read_bytes()[disk.FIRST_SECTOR * disk.SECTOR :])
    check(partition)


def test_the_sleuth_kit_sees_the_deleted_script(volume):
    entries = {e.info.name.name: e for e in volume.open_dir("/tmp")}
    gone = entries[b".s.sh"]
    assert int(gone.info.name.flags) == 2, "unallocated name"
    assert int(gone.info.meta.flags) & 2, "unallocated inode"
    assert gone.info.meta.crtime == int(at("11 01:46:25").timestamp())
    text = gone.read_random(0, gone.info.meta.size)
    assert text.startswith(b"#!/bin/bash\n# SIMULATED") and story.DROP.encode() in text
    assert int(entries[b".font-unix.lock"].info.name.flags) == 1


def test_the_miner_was_backdated_but_its_birth_tells(volume):
    meta = volume.open("/var/tmp/.cache-fonts/fontcached").info.meta
    assert (meta.mtime, meta.mtime_nano) == (1_770_105_600, 0)
    assert meta.crtime == int(at("11 01:46:11").timestamp()) > meta.mtime
    assert meta.ctime == int(at("11 02:03:09").timestamp())
    assert meta.crtime_nano > 0 and meta.ctime_nano > 0


def test_dissect_finds_the_story_on_the_disk(image, request):
    dissect = pytest.importorskip("dissect.target")
    raw = pytest.importorskip("dissect.target.containers.raw")
    file = image.open("rb")
    request.addfinalizer(file.close)
    target = dissect.Target()
    target.disks.add(raw.RawContainer(file))
    target.apply()
    assert target.hostname == story.HOST
    assert (target.os, target.version.split()[0]) == ("linux", "Ubuntu")
    commands = [(r.username, r.ts.isoformat(), r.command) for r in target.bashhistory()]
    assert len(commands) == 26
    assert ("root", "2026-03-11T02:07:41+00:00", "rm -f /tmp/.s.sh /tmp/.k.tgz") in commands
    logins = [(r.ut_user, str(r.ut_addr), r.ut_type) for r in target.wtmp()]
    assert ("deploy", story.INTRUDER_EXIT, "USER_PROCESS") in logins and len(logins) == 10
    accepted = [r.message for r in target.authlog() if r.message.startswith("Accepted publickey")]
    assert len(accepted) == 4
    assert host_logs.public_key("backup")[1] in next(
        m for m in accepted if story.INTRUDER_EXIT in m
    )
    assert {r.comment for r in target.ssh.authorized_keys()} >= {"backup"}
    assert any("fontcached" in str(r.command) for r in target.cronjobs() if hasattr(r, "command"))
    requests = [r for r in target.nginx.access() if "169.254.169.254" in r.uri]
    assert [str(r.remote_ip) for r in requests] == [story.INTRUDER] * 4


def test_a_missing_folder_and_a_path_given_twice_are_refused():
    file = Node("/a/b", S_IFREG | 0o644, STILL)
    with pytest.raises(ValueError, match="has no folder"):
        build([file], blocks=64, label="x", uuid=bytes(16), made=0)
    twice = [Node("/a", S_IFREG, STILL), Node("/a", S_IFREG, STILL)]
    with pytest.raises(ValueError, match="is there twice"):
        build(twice, blocks=64, label="x", uuid=bytes(16), made=0)
    with pytest.raises(ValueError, match="do not fit"):
        build(
            [Node("/a", S_IFREG, STILL, bytes(80 * BLOCK))],
            blocks=64, label="x", uuid=bytes(16), made=0,
        )  # fmt: skip


names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60
).filter(lambda name: name not in (".", "..", "lost+found"))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(names, st.tuples(st.binary(max_size=3 * BLOCK), st.booleans()), max_size=120),
    st.integers(0, (1 << 33) * 10**9),
)
def test_any_small_folder_is_a_clean_file_system(tmp_path, files, time):
    times = Times(time, time, time, time)
    nodes = [
        Node("/d", S_IFDIR | 0o755, times),
        Node("/d/link", S_IFLNK | 0o777, times, b"elsewhere"),
    ]
    for name, (content, deleted) in files.items():
        if name != "link":
            gone = Times(time, time, time, time, nanoseconds(story.WIPED)) if deleted else times
            nodes.append(Node(f"/d/{name}", S_IFREG | 0o600, gone, content))
    path = tmp_path / "volume"
    path.write_bytes(build(nodes, blocks=1024, label="TEST", uuid=bytes(range(16)), made=10**18))
    check(path)
    pytsk3 = pytest.importorskip("pytsk3")
    volume = pytsk3.FS_Info(pytsk3.Img_Info(str(path)))
    found = {e.info.name.name.decode(): e for e in volume.open_dir("/d")}
    for name, (content, deleted) in files.items():
        if name != "link":
            entry = found[name]
            assert int(entry.info.name.flags) == (2 if deleted else 1)
            if content and not deleted:
                assert entry.read_random(0, len(content)) == content
