# SPDX-License-Identifier: Apache-2.0
"""SSH keys as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import configuration
from locard.parsers.linux.looks import all_match, base_name, lines_of, uncommented
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_PRIVATE = re.compile(rb"\s*-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_BARE = re.compile(rb"(?:ssh-|ecdsa-|sk-)")


def recognise(head: Head) -> Match:
    """Every line holds a public key, or the file begins with the armour of a private one."""
    if _PRIVATE.match(head.first[:4096]):
        return Match(92, "private key: its content is not kept")
    share = 0.01 if base_name(head).startswith(("authorized_keys", "known_hosts")) else 0.8
    if all_match(uncommented(lines_of(head)), configuration.SSH_KEY, share):
        return Match(88, "SSH public keys")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each key."""
    place = loose(opened, context, "linux.ssh")
    first = opened.stream().read(65_536)
    if _PRIVATE.match(first[:4096]):
        configuration.read_private_key(opened.stream(), place, rows)
        return
    configuration.read_public_keys(opened.stream(), place, rows, _action(opened.name, first))


def _action(name: str, first: bytes) -> str:
    base = name.rsplit("/", 1)[-1]
    if base.endswith(".pub"):
        return "public key"
    if "known_hosts" in base:
        return "known host"
    if "authorized_keys" in base:
        return "authorized key"
    lines = uncommented([line for line in first.split(b"\n") if line.strip()])
    hosts = [line for line in lines if not _BARE.match(line) and b'="' not in line.split(b" ")[0]]
    return "known host" if len(hosts) * 2 > len(lines) else "authorized key"
