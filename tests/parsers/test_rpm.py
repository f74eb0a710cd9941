# SPDX-License-Identifier: Apache-2.0
"""The database of RPM: what its headers say, and what damage leaves."""

import shutil
import struct
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.parsers.contract import Head
from locard.parsers.linux.installed.parse import recognise
from tests.parsers.linux_bytes import rpm_database, rpm_header
from tests.parsers.test_linux import read

BASH = rpm_header(
    (1000, "bash"), (1001, "5.1.8"), (1002, "9.el9"), (1003, 1), (1008, 1_700_000_000),
    (1009, 7_738_634), (1011, "Example"), (1022, "x86_64"), (1044, "bash-5.1.8-9.el9.src.rpm"),
)  # fmt: skip
SPEC = """Name: {name}
Version: 1.2
Release: 3
Summary: x
License: MIT
BuildArch: noarch
{more}
%description
x
%files
"""


def match(data, name):
    return recognise(Head(data[:65_536], data[-4096:], len(data), name))


def test_a_package_says_what_its_header_says_and_is_found_again_by_its_locator(tmp_path):
    key = rpm_header((1000, "gpg-pubkey"), (1001, "8483c65d"), (1002, "5ccc5b19"))
    data = rpm_database(tmp_path / "db", [(1, BASH), (7, key)])
    assert match(data, "some.name").score > 90
    bash, pubkey = read("installed", data, "some.name")
    assert (bash["resource"], bash["time"], bash["time_meaning"]) == (
        "bash", 1_700_000_000 * 10**9, "package installed",
    )  # fmt: skip
    assert bash["attributes"] == {
        "version": "1:5.1.8-9.el9", "size": "7738634", "vendor": "Example",
        "architecture": "x86_64", "source_package": "bash-5.1.8-9.el9.src.rpm",
    }  # fmt: skip
    assert bash["raw"] == BASH
    assert (pubkey["time_meaning"], pubkey["locator"]) == ("file modified", "#Packages:7")
    for row in (bash, pubkey):
        assert list(read("installed", data, "some.name", only=row["locator"])) == [row]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"", "0 bytes are too few"),
        (struct.pack(">II", 0, 0), "0 entries"),
        (struct.pack(">II", 2**32 - 1, 2**32 - 1), "4294967295 entries"),
        (BASH[:-1], "are not"),
        (BASH + b"x", "are not"),
        (rpm_header((1001, "1")), "without a name"),
        (rpm_header((1000, "a" * 5000)), "without an end"),
    ],
)
def test_a_damaged_header_is_a_problem_and_the_next_package_is_read(tmp_path, header, said):
    data = rpm_database(tmp_path / "db", [(1, header), (2, BASH)])
    damaged, bash = read("installed", data)
    assert said in damaged["problem"]
    assert damaged["raw"] == header
    assert (bash["resource"], bash["problem"]) == ("bash", "")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ((1001, 6, -1, 1), "1 values at byte -1"),
        ((1001, 6, 1 << 30, 1), "at byte 1073741824"),
        ((1001, 6, 0, 1 << 31), "2147483648 values"),
        ((1001, 4, 0, 1), "type 4 is no text"),
        ((1008, 6, 0, 1), "type 6 is no number"),
        ((1008, 4, 3, 1), "beyond the end"),
    ],
)
def test_a_damaged_value_is_named_beside_what_the_header_says(tmp_path, entry, said):
    store = b"bash\0"
    entries = struct.pack(">IIiI", 1000, 6, 0, 1) + struct.pack(">IIiI", *entry)
    header = struct.pack(">II", 2, len(store)) + entries + store
    (row,) = read("installed", rpm_database(tmp_path / "db", [(1, header)]))
    assert row["resource"] == "bash"
    assert said in row["problem"]


def test_numbers_that_are_none_or_not_unique_lose_no_package(tmp_path):
    headers = [(1, BASH), (1, BASH), ("x", BASH), (None, BASH), (2, "text")]
    rows = read("installed", rpm_database(tmp_path / "db", headers, "hnum, blob"))
    assert (rows.seen, rows.problems) == (5, 4)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_header_is_one_row(tmp_path_factory, data):
    header = bytearray(BASH)
    for _ in range(data.draw(st.integers(1, 6))):
        header[data.draw(st.integers(0, len(header) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("rpm") / "db"
    assert read("installed", rpm_database(path, [(1, bytes(header))])).seen == 1


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("Packages", bytes(12) + b"\x61\x15\x06\0" + bytes(64), "Berkeley DB is not read"),
        ("Packages.db", b"RpmP" + bytes(64), "ndb is not read"),
        ("rpmdb.sqlite-wal", b"\x37\x7f\x06\x82" + bytes(64), "may be missing"),
        ("rpmdb.sqlite", b"SQLite format 3\0" + bytes(84), "cannot be read further"),
    ],
)
def test_what_is_not_read_is_said(name, data, said):
    assert match(data, name).score > 90
    (row,) = read("installed", data, name)
    assert said in row["problem"]


def test_the_rows_are_what_rpm_itself_lists(tmp_path):
    if not (shutil.which("rpm") and shutil.which("rpmbuild")):
        pytest.skip("rpm and rpmbuild are not installed (package rpm)")

    def run(*command):
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    for name, more in (("first", "Epoch: 2\nVendor: Example"), ("second", "")):
        spec = tmp_path / f"{name}.spec"
        spec.write_text(SPEC.format(name=name, more=more))
        run("rpmbuild", "-bb", "--define", f"_topdir {tmp_path}/top", str(spec))
    place = ("--define", "_db_backend sqlite", "--dbpath", f"{tmp_path}/db")
    run("rpm", *place, "--initdb")
    files = sorted(str(path) for path in tmp_path.glob("top/RPMS/noarch/*.rpm"))
    assert len(files) == 2
    run("rpm", *place, "-i", "--justdb", "--nodeps", *files)
    form = "%{name} %{evr} %{arch} %{installtime} %{size} %{sourcerpm}\n"
    data = (tmp_path / "db/rpmdb.sqlite").read_bytes()
    rows = read("installed", data, "rpmdb.sqlite")
    assert rows.problems == 0
    ours = [
        f"{row['resource']} {a['version']} {a['architecture']} {row['time'] // 10**9} "
        f"{a['size']} {a['source_package']}"
        for row in rows
        for a in [row["attributes"]]
    ]
    assert sorted(ours) == sorted(run("rpm", *place, "-qa", "--qf", form).splitlines())
