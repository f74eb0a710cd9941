# SPDX-License-Identifier: Apache-2.0
"""Linux artefacts as loose files: what each form says, and what damage leaves."""

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.model.errors import Unreadable
from locard.parsers.catalogue import code, load
from locard.parsers.contract import Context, Head, Limits
from locard.parsers.linux import auth_messages, utmp_records
from locard.parsers.linux.configuration import fingerprint
from locard.parsers.linux.journal_objects import Damage, Entry, Journal, lz4_block
from locard.parsers.opened import Evidence
from locard.parsers.rows import Rows
from tests.parsers.linux_bytes import journal, lastlog, utmp

DAY = 86_400 * 1_000_000_000
KINDS = (
    "at", "auth", "cron", "cron_scripts", "docker", "journal", "lesshst", "packages", "services",
    "shell_history", "ssh", "sudoers", "syslog", "users", "utmp", "viminfo", "wget_hsts",
)  # fmt: skip
EVIDENCE = Path(os.environ.get("LOCARD_EVIDENCE") or Path(__file__).parents[3] / "shared/evidence")


class Reading(list):
    """The rows of one reading, with what was counted."""

    seen = problems = 0


def read(
    kind,
    data,
    name="sample",
    modified=1_717_200_000_000_000_000,
    only=None,
    limits=None,
    zone="UTC",
):
    """Rows that the parser `linux.KIND` makes of `data`."""
    batches = []
    rows = Rows(batches.append, "e" * 64, f"linux.{kind}", "1")
    limits = limits or Limits()
    fd = os.memfd_create("sample")
    try:
        os.write(fd, data)
        opened = Evidence(fd, len(data), name, limits)
        parse = __import__(f"locard.parsers.linux.{kind}.parse", fromlist=["parse"]).parse
        parse(
            opened, rows, Context("e" * 64, modified=modified, only=only, limits=limits, zone=zone)
        )
        rows.close()
    finally:
        os.close(fd)
    found = Reading()
    for batch in batches:
        batch.validate(full=True)
        times = batch.column("time").cast("int64").to_pylist()
        for row, when in zip(batch.to_pylist(), times, strict=True):
            found.append({**row, "time": when, "attributes": dict(row["attributes"])})
    found.seen, found.problems = rows.seen, rows.problems
    assert found.seen == len(found)
    assert found.problems == sum(1 for row in found if row["problem"])
    assert len({row["id"] for row in found}) == len(found)
    return found


def recognised(data, name="sample"):
    """The parser of this folder that claims `data` most strongly, and how strongly."""
    head = Head(data[:65_536], data[-4096:], len(data), name)
    claims = {
        kind: __import__(f"locard.parsers.linux.{kind}.parse", fromlist=["x"]).recognise(head).score
        for kind in KINDS
    }
    best = max(claims, key=lambda kind: claims[kind])
    return best if claims[best] else ""


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_recognised_as_what_they_are(kind):
    source = load().get(f"linux.{kind}")
    samples = [p for p in (source.folder / "samples").rglob("*") if p.is_file()]
    samples = [p for p in samples if not p.name.endswith(".expected.jsonl")]
    assert samples
    for sample in samples:
        assert recognised(sample.read_bytes(), str(sample)) == kind, sample


@pytest.mark.parametrize("kind", KINDS)
def test_any_row_can_be_read_again_by_its_locator(kind):
    source = load().get(f"linux.{kind}")
    seen = 0
    for sample in (source.folder / "samples").rglob("*"):
        if not sample.is_file() or sample.name.endswith(".expected.jsonl"):
            continue
        data = sample.read_bytes()
        for row in read(kind, data, sample.name):
            seen += 1
            assert read(kind, data, sample.name, only=row["locator"]) == [row]
    assert seen


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damaged_bytes_give_rows_or_a_clear_error(kind, data):
    source = load().get(f"linux.{kind}")
    folder = source.folder / "samples"
    names = [p for p in sorted(folder.rglob("*")) if p.is_file() and "expected" not in p.name]
    sample = data.draw(st.sampled_from(names))
    whole = bytearray(sample.read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        read(kind, cut, sample.name)
    except Unreadable as error:
        assert error.message


def test_rows_that_a_database_cut_short_numbers_alike_stay_apart():
    whole = (load().get("linux.utmp").folder / "samples" / "wtmp.db").read_bytes()
    found = read("utmp", whole[:517], "wtmp.db")
    assert len(found) == len({row["locator"] for row in found}) > 1


def test_years_turn_and_end_where_the_file_was_modified():
    log = b"Dec 31 23:59:59 h sshd[1]: a\nJan  1 00:00:01 h sshd[1]: b\n"
    log += b"Jan  2 00:00:00 h sshd[1]: c\n"
    modified = 1_704_153_600_000_000_000  # 2024-01-02T00:00:00Z
    rows = read("auth", log, modified=modified)
    assert [row["time"] for row in rows] == [
        modified - 1_000_000_000 - DAY, modified - DAY + 1_000_000_000, modified,
    ]  # fmt: skip
    assert [row["attributes"]["year_inferred"] for row in rows] == ["2023", "2024", "2024"]


def test_a_leap_day_moves_the_log_to_a_leap_year():
    rows = read("syslog", b"Feb 29 10:00:00 h app[1]: x\nMar  1 10:00:00 h app[1]: y\n",
                modified=1_750_000_000_000_000_000)  # fmt: skip
    assert [row["attributes"]["year_inferred"] for row in rows] == ["2024", "2024"]


def test_without_a_modification_time_a_year_is_not_made_up():
    (row,) = read("syslog", b"Mar  1 10:00:00 h app[1]: y\n", modified=None)
    assert row["time"] is None
    assert row["attributes"]["year_inferred"].startswith("no")


def test_a_client_cannot_choose_the_address_that_is_logged():
    name = "root from 10.0.0.1 port 22 ssh2"
    found = auth_messages.read(
        "sshd", f"Failed password for invalid user {name} from 203.0.113.66 port 4022 ssh2"
    )
    assert found.values["src_ip"] == "203.0.113.66"
    assert found.values["actor"] == name


@pytest.mark.parametrize(
    ("program", "message", "expected"),
    [
        ("sudo", "  eve : 3 incorrect password attempts ; TTY=pts/1 ; PWD=/ ; USER=root ; "
         "COMMAND=/bin/sh -c 'a ; b'", {"action": "sudo", "outcome": "failure", "actor": "eve"}),
        ("su", "FAILED SU (to root) eve on pts/1", {"outcome": "failure", "resource": "root"}),
        ("login", "ROOT LOGIN  on '/dev/tty1'", {"actor": "root", "action": "login"}),
        ("sshd", "Connection closed by authenticating user root 203.0.113.9 port 4 [preauth]",
         {"actor": "root", "src_ip": "203.0.113.9", "src_port": 4}),
        ("sshd", "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh "
         "ruser= rhost=203.0.113.9  user=root", {"actor": "root", "src_ip": "203.0.113.9"}),
        ("CRON", "(root) CMD (echo (x))", {"actor": "root", "resource": "echo (x"}),
        ("nobody", "says nothing", {}),
    ],
)  # fmt: skip
def test_messages_say(program, message, expected):
    values = auth_messages.read(program, message).values
    assert {name: values.get(name) for name in expected} == expected


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [False, True])
def test_login_records_of_every_machine(order, wide):
    record = utmp(7, b"eve", b"pts/0", b"h", 1_717_146_000, 5, bytes([1, 2, 3, 4]), wide, order)
    (row,) = read("utmp", record)
    assert row["time"] == 1_717_146_000_000_005_000
    assert (row["actor"], row["src_ip"], row["raw"]) == ("eve", "1.2.3.4", record)


def test_lastlog_counts_used_records_only():
    data = bytes(292 * 1000) + lastlog(1_717_146_000, b"tty1", b"") + b"\0" * 10
    (row,) = read("utmp", data, "lastlog")
    assert row["attributes"]["uid"] == "1000"


def test_commands_are_shown_as_they_were_typed():
    typed = "echo straße ÄÖ日本語\ndone"
    zsh = "".join(
        f"\x83{chr(byte ^ 32)}" if byte in {0, *range(0x83, 0xA3)} else chr(byte)
        for byte in typed.replace("\n", "\\\n").encode()
    ).encode("latin-1")
    for name, data in ((".zsh_history", b": 1700000000:0;" + zsh), (".zhistory", zsh)):
        (row,) = read("shell_history", data + b"\n", name)
        assert (row["message"], row["process"]) == (typed, "zsh")
        assert row["raw"] == (data if data.startswith(b":") else zsh)
    (row,) = read("shell_history", b"- cmd: a\\nb \\\\n c\n  when: 1700000020\n", "fish_history")
    assert row["message"] == "a\nb \\n c"


def test_a_key_inside_of_options_or_comments_is_not_taken_for_the_key():
    real = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGs1Yh3q0VvQkF1Zm1tQk5p"
    fake = b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB"
    lines = (
        b'command="echo \\"' + fake + b' x\\" ' + fake + b' x" ' + real,
        real + b" " + fake,
        b"\t" + real.replace(b" ", b"\t \t") + b"\tspaces",
        b'from="10.0.0.0/8",no-pty ' + real + b" a comment\r",
    )
    rows = read("ssh", b"\n".join(lines), "authorized_keys")
    assert rows.problems == 0
    assert {row["hash"] for row in rows} == {fingerprint(real.split()[1])}
    assert [row["attributes"].get("comment") for row in rows][1:] == [
        fake.decode(), "spaces", "a comment",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name, data, kind",
    [
        ("etc/passwd", b"root:x:0:0::/root:/bin/sh\n.h:x:0:0::/:\n+::::::\n\xc3\xa4:x:1:1:::\n",
         "users"),
        ("etc/shadow", b"root:*:1::::::\n.h::1:0:9:7:::\n\xc3\xa4:!:1::::::\n", "users"),
        ("root/.ssh/authorized_keys", b"junk\nmore junk\nssh-rsa AAAAB3NzaC1yc2EAAAADAQAB x\n",
         "ssh"),
        ("etc/anacrontab", b"SHELL=/bin/sh\n1\t5\tcron.daily\trun-parts /etc/cron.daily\n", "cron"),
        ("etc/cron.d/x", b"bad\n* * * * * root id\n* * * * * root w\nworse\n", "cron"),
        ("var/spool/cron/crontabs/eve", b"1\n2\n@reboot /tmp/x\n", "cron"),
        ("var/log/auth.log", b"Feb 29 10:00:00 web9 sshd[7]: a\0b\n" * 3, "auth"),
        ("var/log/secure.1", bytes(3000) + b"\nFeb 29 10:00:00 web9 sshd[7]: Accepted password "
         b"for eve from 203.0.113.9 port 2 ssh2\n", "auth"),
        ("etc/sudoers.d/x", b"eve ALL=(ALL) NOPASSWD: ALL\n=\n", "sudoers"),
        ("etc/cron.daily/x", b"#!/bin/sh\n* * * * * root id\n", "cron_scripts"),
        ("etc/cron.hourly/.x", b"\x7fELF\0\0", "cron_scripts"),
        ("etc/systemd/system/x.service", b"[Service]\nExecStart=/bin/sh\n", "services"),
        ("etc/systemd/system/ssh.service.d/a.conf", b"[Service]\nExecStartPost=/tmp/x\n",
         "services"),
    ],
)  # fmt: skip
def test_what_an_attacker_writes_into_a_file_does_not_hide_it(name, data, kind):
    assert recognised(data, name) == kind
    rows = read(kind, data, name)
    whole = kind in ("services", "cron_scripts")
    assert len(rows) == (1 if whole else len(data.splitlines()))
    expected = {"ssh": 2, "sudoers": 1, "auth": data.startswith(b"\0")}.get(kind)
    if kind == "cron" and "anacron" not in name:
        expected = data.count(b"\n") - data.count(b"/tmp/x") - data.count(b"root")
    assert rows.problems == (expected or 0)


@pytest.mark.parametrize("name", [b"\x03\x01root", b"a\nb", b"\x1b[31m", b"\xff\xfe" * 16])
def test_a_failed_login_under_an_odd_name_is_a_row(name):
    plain = utmp(6, b"eve", b"ssh:notty", b"203.0.113.9", 1_717_146_000)
    odd = utmp(6, name, b"ssh:notty", b"203.0.113.9", 1_717_146_001)
    rows = read("utmp", plain * 3 + odd + plain, "btmp")
    assert rows.problems == 0
    assert (rows[3]["action"], rows[3]["src_ip"]) == ("failed login", "203.0.113.9")
    assert rows[3]["actor"] == name.decode("utf-8", "backslashreplace")
    assert recognised(odd * 50, "var/log/btmp") == "utmp", "and where there is no other"
    assert recognised(odd * 64 + plain, "x/btmp.1") == "utmp"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("noise", [b"garbage", b"\xff" * 100, b"\0" * 37, b"\7\0" * 900])
@pytest.mark.parametrize("at", [1, 5, 3999])
def test_bytes_between_login_records_hide_none_of_them(order, wide, noise, at):
    logins = [
        utmp(7, b"eve%d" % n, b"pts/0", b"h", 1_717_146_000 + n, 5, b"", wide, order)
        for n in range(4000)
    ]
    rows = read("utmp", b"".join([*logins[:at], noise, *logins[at:]]), "wtmp")
    assert [row["actor"] for row in rows if row["actor"]] == [f"eve{n}" for n in range(4000)]
    assert 1 <= rows.problems <= 1 + len(noise) // 384


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("uids", [(0, 1000), (1000, 1001), (65_534,)])
def test_last_logins_of_every_machine(order, wide, uids):
    size = 296 if wide else 292
    data = bytearray(size * (uids[-1] + 1))
    for uid in uids:
        record = lastlog(1_717_146_000 + 99 * uid, b"pts/0", b"203.0.113.9", wide, order)
        data[uid * size : (uid + 1) * size] = record
    assert recognised(bytes(data), "var/log/lastlog") == "utmp"
    rows = read("utmp", bytes(data), "lastlog")
    assert rows.problems == 0
    assert [(row["attributes"]["uid"], row["time"], row["src_ip"]) for row in rows] == [
        (str(uid), (1_717_146_000 + 99 * uid) * 10**9, "203.0.113.9") for uid in uids
    ]


def test_utmp_is_not_found_in_zeros_or_text():
    assert utmp_records.layout_of(bytes(4000)) is None
    assert not utmp_records.looks_like_lastlog(b'{"a": "b"}' * 100)


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("compression", [0, 1, 4])
def test_journal_fields_in_every_form(compact, compression):
    fields = [b"MESSAGE=" + b"x" * 600, b"SYSLOG_IDENTIFIER=app", b"_HOSTNAME=web-1"]
    data = journal([(1_717_146_000_000_001, fields)], compact, compression)
    (row,) = read("journal", data)
    assert row["time"] == 1_717_146_000_000_001_000
    assert row["host"] == "web-1"
    assert row["raw"] == b"\n".join(fields)


def test_a_journal_cut_short_gives_its_whole_entries_and_a_problem():
    data = journal([(n * 1_000_000, [b"MESSAGE=%d" % n]) for n in range(1, 6)])
    rows = read("journal", data[:-20])
    assert [row["message"] for row in rows if not row["problem"]] == ["1", "2", "3", "4"]
    assert any("cut short" in row["problem"] for row in rows)
    assert any("counts 5 entries, 4" in row["problem"] for row in rows)


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("damage", [bytes(24), b"\xff" * 24, b"\1\0" * 60, b"\3\0\0\0\0\0\0\0" * 9])
def test_what_is_overwritten_in_a_journal_hides_nothing_behind_it(damage, compact):
    entries = [(n * 1_000_000, [b"MESSAGE=%d" % n]) for n in range(1, 101)]
    data = bytearray(journal(entries, compact))
    start = data.index(b"MESSAGE=50") - (72 if compact else 64)
    data[start : start + len(damage)] = damage
    rows = read("journal", bytes(data))
    shown = [int(row["message"]) for row in rows if not row["problem"]]
    assert set(range(1, 50)) <= set(shown)
    assert set(range(53, 101)) <= set(shown)
    assert any("damaged at byte" in row["problem"] for row in rows)


class Torn(io.BytesIO):
    """Bytes of which some cannot be read, as those of a disk that is cut short."""

    gone = range(0)

    def read(self, size=-1):
        start = self.tell()
        end = len(self.getvalue()) if size < 0 else start + size
        if start < self.gone.stop and end > self.gone.start:
            raise EOFError("the image ends before")
        return super().read(size)


def test_a_journal_that_cannot_be_read_in_the_middle_gives_what_is_around():
    entries = [(n * 1_000_000, [b"MESSAGE=%d " % n + b"x" * 500]) for n in range(1, 2001)]
    data = journal(entries)
    torn = Torn(data)
    torn.gone = range(500_000, 508_192)
    found = list(Journal(torn, len(data)).read())
    shown = [
        int(one.fields[0][8:].split()[0]) for one in found if isinstance(one, Entry) and one.fields
    ]
    assert shown[0] == 1
    assert shown[-1] == 2000
    assert 1970 < len(shown) < 2000
    assert [one.broken for one in found if isinstance(one, Damage)].count(True) == 1
    assert len({one.offset for one in found}) >= len(found) - 1


def test_lz4_blocks():
    # literals "ab", then a match of 6 at distance 2, then the literals "c"
    assert (
        lz4_block(bytes([0x22]) + b"ab" + b"\x02\x00" + bytes([0x10]) + b"c", 9, 0) == b"ababababc"
    )
    with pytest.raises(Damage, match="refers to what is not there"):
        lz4_block(bytes([0x10]) + b"a" + b"\x09\x00", 9, 0)
    with pytest.raises(Damage, match="claims"):
        lz4_block(b"", 1 << 40, 0)


def test_secrets_stay_out_of_rows():
    secret = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"
    key = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n-----END OPENSSH PRIVATE KEY-----\n"
    shadow = f"eve:$6$salt${secret}:19800:0:99999:7:::\n"
    passwd = f"eve:{secret}:1:1::/home/eve:/bin/sh\n"
    for kind, data in (("ssh", key), ("users", shadow), ("users", passwd)):
        rows = read(kind, data.encode())
        assert rows
        assert secret not in json.dumps([{**row, "raw": row["raw"].decode()} for row in rows])


def test_a_line_beyond_the_limit_is_a_problem_that_keeps_its_beginning():
    limits = Limits(record_bytes=1000)
    rows = read("shell_history", b"ls\n" + b"x" * 5000 + b"\nid\n", ".bash_history", limits=limits)
    assert [row["message"] for row in rows if not row["problem"]] == ["ls", "id"]
    assert "5000 bytes" in next(row["problem"] for row in rows if row["problem"])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("net/ipv6_route", b"0000000000000000000000000000 00 000000000000000000000000000000 00 "
         b"00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"),
        ("732/statm", b"732 472 442 6 0 89 0\n"),
        ("2/statm", b"0 0 0 0 0 0 0\n"),
        ("counts.txt", b"1 2 3 4 5 apples\n2 3 4 5 6 pears\n"),
    ],
)  # fmt: skip
def test_tables_of_numbers_are_no_cron_tables(name, data):
    assert recognised(data, name) != "cron"


@pytest.mark.parametrize(
    "data", [b"*/5 0-23/2 1,15 * mon-fri /tmp/.x\n", b"0 4 * * 7 curl x | sh\n", b"@reboot /x\n"]
)
def test_cron_tables_of_any_name_are_known(data):
    assert recognised(data, "var/spool/eve") == "cron"


def test_odd_bytes_survive_in_raw():
    rows = read("shell_history", b"echo \xff\xfe\x00\n", ".bash_history")
    assert rows[0]["raw"] == b"echo \xff\xfe\x00"
    assert rows[0]["message"] == "echo \\xff\\xfe\\x00"


def test_lone_surrogates_of_json_can_be_stored():
    config = (
        rb'{"ID":"1","Created":"2024-01-01T00:00:00Z","State":{},"Config":{},"Image":"i",'
        rb'"Name":"\ud800"}'
    )
    (row,) = read("docker", config)
    assert row["resource"] == "\\ud800"


def test_a_broken_layer_gives_the_good_lines_and_a_problem():
    import gzip

    packed = gzip.compress(b"".join(b"#1717146%03d\ncmd %d\n" % (n, n) for n in range(900)))
    rows = read("shell_history", packed[:-200], ".bash_history.gz")
    assert len(rows) > 100
    assert rows.problems >= 1


@pytest.mark.parametrize("name", ["wtmp.gz", "lastlog.gz"])
@pytest.mark.parametrize("count", [20, 4000])
def test_login_records_in_a_broken_layer_say_so(name, count):
    import gzip
    import random

    noise = random.Random(1)
    hosts = [noise.randbytes(100).hex().encode() for _ in range(count)]
    if name.startswith("wtmp"):
        data = b"".join(utmp(7, b"eve", b"pts/0", host, 1_717_146_000) for host in hosts)
    else:
        data = b"".join(lastlog(1_717_146_000, b"pts/0", host) for host in hosts)
    rows = read("utmp", gzip.compress(data)[:-1500], name)
    good = [row for row in rows if not row["problem"]]
    assert count // 4 <= len(good) < count
    assert len([row for row in rows if "breaks off" in row["problem"]]) == 1


TRUTH = {
    "bash_history": "shell_history", "bash_history_desync": "shell_history",
    "fish_history": "shell_history", "zsh_extended_history.txt": "shell_history",
    "syslog/syslog": "syslog", "syslog/syslog_chromeos": "syslog",
    "syslog/syslog_cron.log": "syslog", "syslog/syslog_osx": "syslog",
    "syslog/syslog_rsyslog": "syslog", "syslog/syslog_rsyslog_SysklogdFileFormat": "syslog",
    "syslog/syslog_rsyslog_SyslogProtocol23Format": "syslog",
    "syslog/syslog_rsyslog_traditional": "syslog", "syslog/syslog_ssh.log": "auth",
    "dpkg.log": "packages", "cri.log": "docker", "utmp": "utmp",
    "systemd/journal/system.journal": "journal",
}  # fmt: skip


@pytest.mark.evidence
@pytest.mark.parametrize("name", TRUTH)
def test_counts_of_the_ground_truth(name):
    folder = EVIDENCE / "disk/plaso"
    path = folder / "test_data" / name
    newer = EVIDENCE / "disk/plaso_newer" / name
    path = path if path.is_file() else newer
    if not path.is_file():
        pytest.skip(f"no evidence at {path}")
    truth = json.loads((folder / "GROUNDTRUTH_event_counts.json").read_text())[name][0]
    data = path.read_bytes()
    assert recognised(data, name) == TRUTH[name]
    rows = read(TRUTH[name], data, name)
    assert rows.seen - rows.problems == truth["event_data"]
    assert rows.problems == (truth["extraction_warnings"] or 0)


@pytest.mark.evidence
def test_a_real_auth_log_is_read_to_the_last_line():
    folder = EVIDENCE / "linux/elastic-examples"
    path = next(folder.rglob("auth.log"), None) if folder.is_dir() else None
    if path is None:
        pytest.skip(f"no evidence below {folder}")
    rows = read("auth", path.read_bytes(), "auth.log")
    assert (rows.seen, rows.problems) == (7121, 0)
    logins = [row for row in rows if row["action"] == "ssh login" and row["outcome"] == "success"]
    assert len(logins) == 226  # grep: 190 Accepted password, 36 Accepted publickey
    assert all(row["src_ip"] and row["actor"] for row in logins)


def test_every_parser_of_this_folder_has_code():
    assert all(code(load().get(f"linux.{kind}")) for kind in KINDS)


def test_what_rsyslog_writes_of_a_record_that_came_as_rfc_5424() -> None:
    """Its tag has no colon, and a host that the record did not name is `-`."""
    data = (
        b"Mar  5 10:00:00 web1 su[77] FAILED SU (to root) bob on pts/1\n"
        b"2024-03-05T10:00:01.5+01:00 - app[9] started\n"
    )
    first, second = read("syslog", data)
    assert (first["host"], first["process"], first["actor"]) == ("web1", "su", "bob")
    assert (first["action"], first["outcome"], first["attributes"]["pid"]) == (
        "su",
        "failure",
        "77",
    )
    assert (second["host"], second["process"], second["message"]) == ("", "app", "app: started")


@pytest.mark.parametrize("head", [b"<38>", b"<38>1 ", b""])
def test_a_record_with_an_impossible_date_continues_no_other(head: bytes) -> None:
    data = b"".join(
        head + day + b"T12:00:00+00:00 web1 sshd: Accepted publickey for ana from ::1\n"
        for day in (b"2026-02-28", b"2026-02-29", b"2026-03-01")
    )
    rows = read("auth", data)
    assert [row["problem"] for row in rows] == ["", "a line with a damaged or impossible date", ""]


def test_busybox_and_openwrt_write_facility_and_severity_into_the_line() -> None:
    data = (
        b"Mar  5 10:00:00 alpine authpriv.info sshd[21]: Accepted none for ana from ::1 port 5\n"
        b"Mar  5 10:00:01 alpine kern.warn kernel: [    0.1] x\n"
        b"Tue Mar  5 10:00:02 2024 authpriv.notice dropbear[7]: "
        b"Password auth succeeded for 'root' from 203.0.113.7:50000\n"
        b"Tue Mar  5 10:00:03 2024 authpriv.warn dropbear[7]: "
        b"Bad password attempt for 'root' from 2001:db8::7:50000\n"
    )
    rows = read("syslog", data)
    assert [(r["host"], r["process"], r["actor"], r["outcome"], r["src_ip"]) for r in rows] == [
        ("alpine", "sshd", "ana", "success", "::1"),
        ("alpine", "kernel", "", "", ""),
        ("", "dropbear", "root", "success", "203.0.113.7"),
        ("", "dropbear", "root", "failure", "2001:db8::7"),
    ]
    assert [r["attributes"]["severity"] for r in rows] == ["info", "warning", "notice", "warning"]
    assert rows[2]["time"] == 1_709_632_802_000_000_000
    assert "year_inferred" not in rows[2]["attributes"]


@pytest.mark.parametrize(
    ("zone", "shift"), [(" UTC", 0), (" GMT", 0), ("+01:00", 3600), (" -0530", -19800), ("", 3600)]
)
def test_a_traditional_record_that_names_its_zone(zone: str, shift: int) -> None:
    data = f"Mar  5 10:00:00{zone} web1 sshd[1]: Server listening on :: port 22.\n".encode()
    (row,) = read("syslog", data, zone="Europe/Berlin")
    assert (row["host"], row["process"]) == ("web1", "sshd")
    assert row["time"] == (1_709_632_800 - shift) * 1_000_000_000


def test_days_of_the_week_begin_other_logs_too() -> None:
    (row,) = read("syslog", b"Tue Mar  5 10:00:00 2024 OpenVPN 2.6.3 x86_64\n")
    assert row["problem"] == "a line that is no record of a log"


def test_statements_of_database_clients_read_as_they_were_typed() -> None:
    libedit = b"_HiStOrY_V2_\ndrop\\040table\\040users;\nselect\\040'a\\\\b'\\012from\\040t;\n"
    for name, client in ((".mysql_history", "mysql"), (".mariadb_history", "mariadb")):
        rows = read("shell_history", libedit, name)
        assert [row["message"] for row in rows] == ["drop table users;", "select 'a\\b'\nfrom t;"]
        assert {row["process"] for row in rows} == {client}
        for row in rows:
            assert read("shell_history", libedit, name, only=row["locator"]) == [row]
    (row,) = read("shell_history", b"select a\x01from b;\n", ".psql_history")
    assert row["message"] == "select a\nfrom b;"


def test_zsh_without_times_hides_a_colon_in_front() -> None:
    rows = read("shell_history", b"\\: 5; echo x\nwhoami\n", ".zsh_history")
    assert [row["message"] for row in rows] == [": 5; echo x", "whoami"]
