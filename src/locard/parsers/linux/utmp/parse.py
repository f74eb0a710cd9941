# SPDX-License-Identifier: Apache-2.0
"""wtmp, btmp, utmp, lastlog, wtmpdb and lastlog2 as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import login_databases, sqlite_tables, utmp_records
from locard.parsers.linux.looks import base_name
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """The structure of login records; the name only decides between the two structures."""
    if login_databases.looks_like(head.first):
        return Match(95, "database of logins")
    named = base_name(head)
    if named.startswith("lastlog") and utmp_records.looks_like_lastlog(head.first):
        return Match(90, "last logins by user id")
    if named.startswith("lastlog") and not any(head.first):
        return Match(70, "last logins by user id, none of a low one")
    if head.first.startswith((b"utmpx-1.00\0", b"LPKSHHRH")):
        return NO
    share = 0.4 if "tmp" in named else 0.75
    layout = utmp_records.layout_of(head.first, share)
    if layout is not None:
        return Match(90, f"login records of {layout.name}")
    if utmp_records.looks_like_lastlog(head.first):
        return Match(60, "last logins by user id")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each record."""
    place = loose(opened, context, "linux.utmp")
    first = opened.stream().read(65_536)
    if first.startswith(sqlite_tables.MAGIC):
        login_databases.read(opened.stream(), place, rows)
        return
    named = opened.name.rsplit("/", 1)[-1].startswith("lastlog")
    lastlog = utmp_records.looks_like_lastlog(first) or (named and not any(first))
    if lastlog and (named or utmp_records.layout_of(first) is None):
        names = {int(uid): name for uid, name in context.accounts.items() if uid.isdecimal()}
        utmp_records.read_lastlog(opened.stream(), place, rows, names)
    else:
        utmp_records.read(opened.stream(), place, rows)
