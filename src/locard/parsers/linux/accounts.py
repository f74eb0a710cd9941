# SPDX-License-Identifier: Apache-2.0
"""Whose a user id and a home are, as passwd says. The parent asks too, about loose files."""

import posixpath
from dataclasses import dataclass, field

HOMES = 1000
"""Homes that are remembered; a passwd of hostile bytes may name millions."""
LONGEST = 256
"""Characters of a name and of a home; a longer one is no account of a machine."""
PASSWD = 1 << 20
"""Bytes of a passwd that are looked at."""


@dataclass(slots=True)
class Accounts:
    """The accounts of a machine."""

    names: dict[int, str] = field(default_factory=dict)
    """By user id; of two with the same id the first, as the machine itself reads them."""
    homes: dict[str, str] = field(default_factory=dict)
    """By home, as passwd names it."""

    def learn(self, passwd: str) -> None:
        """Take in the lines of a passwd; what is no account of it is passed over."""
        for line in passwd.splitlines():
            parts = line.split(":")
            if not 0 < len(parts[0]) <= LONGEST:
                continue
            if len(parts) > 2 and parts[2].isdecimal() and len(parts[2]) < 11:
                self.names.setdefault(int(parts[2]), parts[0])
            if len(parts) > 5 and parts[5].startswith("/") and len(parts[5]) <= LONGEST:
                home = posixpath.normpath(f"/{parts[5].lstrip('/')}")
                if len(self.homes) < HOMES:
                    self.homes.setdefault(home, parts[0])

    def owner_of(self, path: str) -> str:
        """The account whose home `path`, as the machine saw it, lies in; else an empty text."""
        folder = path
        while (folder := folder.rpartition("/")[0]) != "":
            if account := self.homes.get(folder):
                return account
        return owner_of(f"/{path.lstrip('/')}")


def owner_of(path: str) -> str:
    """The account whose home `path` lies in by the names of its folders, or an empty text."""
    parts = path.replace("\\", "/").split("/")
    for index, part in enumerate(parts[:-1]):
        if part == "home" and index + 2 < len(parts):
            return parts[index + 1]
        if part == "root":
            return "root"
    return ""
