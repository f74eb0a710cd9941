# SPDX-License-Identifier: Apache-2.0
"""sudoers and the files of sudoers.d, loose."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import sudo_rules
from locard.parsers.linux.looks import base_name, lines_of
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_NAMED = re.compile(r"(?:\A|/)sudoers(?:\.d/[^/]+)?\Z")
_LINE = re.compile(
    rb"\s*(?:Defaults(?:[@:!>]\S*)?\s|(?:User|Runas|Host|Cmnd|Cmd)_Alias\s|[#@]include(?:dir)?\s"
    rb"|[^\s=:#][^=:]*=\s*\S)"
)
_RULE = re.compile(
    rb"\s*[%A-Za-z_#+][^\s=:]*(?:\s*,[^=:]+)?\s+ALL\s*=\s*(?:\(|(?:NOPASSWD:\s*)?ALL)"
)


def recognise(head: Head) -> Match:
    """Lines of rules, settings, aliases and includes; in a file of another name there is a rule."""
    named = _NAMED.search(head.name.replace("\\", "/")) or base_name(head) == "sudoers"
    if not named and b"ALL" not in head.first:
        return NO
    said = [line[:512] for line in lines_of(head) if sudo_rules.plain(line)]
    if named and said:
        hits = sum(1 for line in said if _LINE.match(line))
        return Match(88, "rules of sudo") if hits * 2 >= len(said) else NO
    return Match(82, "rules of sudo") if said and all(map(_RULE.match, said)) else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each rule, setting, alias and include."""
    sudo_rules.read(opened.stream(), loose(opened, context, "linux.sudoers"), rows)
