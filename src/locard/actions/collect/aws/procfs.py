# SPDX-License-Identifier: Apache-2.0
"""What /proc of a container says, as lines of Timesketch's interchange form: one for each process,
connection, mount and deleted file that is still open. Times are the kernel's, or those of asking.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address

from locard.model.action import Json

TICKS = 100
"""Of the kernel's clock in a second, as every Linux on x86 and ARM shows it."""
SHOWN = 4096
"""Characters of a command line in a message; the whole is in the raw answer."""
_LINK = re.compile(r" (\S+) -> (.*)")
_STATES = ("established", "syn-sent", "syn-received", "fin-wait-1", "fin-wait-2", "time-wait",
           "close", "close-wait", "last-ack", "listen", "closing")  # fmt: skip
Files = Mapping[str, bytes]


class Proc:
    """What one look at /proc gave, by path below it."""

    def __init__(self, files: Files, container: str, asked: datetime) -> None:
        self.files, self.container = files, container
        self.asked = asked.isoformat(timespec="milliseconds")
        self.strange: list[str] = []
        """What could not be read as the kernel writes it."""
        found = re.search(rb"^btime (\d{1,11})$", files.get("stat", b""), re.M)
        self._boot = int(found[1]) if found else None
        self._owners: dict[str, str] = {}

    def lines(self) -> Iterator[Json]:
        """Everything, processes first."""
        processes = sorted({int(one.partition("/")[0]) for one in self.files if one[0].isdigit()})
        for pid in processes:
            yield from self._process(pid)
        for name in ("tcp", "tcp6", "udp", "udp6"):
            yield from self._connections(name)
        for row in self._text("self/mountinfo").splitlines():
            parts = row.split(" ")
            if len(parts) > 9 and "-" in parts:
                at = parts.index("-")
                kind, source = [*parts[at + 1 :], "", ""][:2]
                yield self._line(f"{parts[4]} is {kind} from {source}", "Mounted when asked",
                                 path=parts[4], filesystem=kind, source=source,
                                 options=parts[5])  # fmt: skip
            elif row:
                self.strange.append("self/mountinfo")

    def _process(self, pid: int) -> Iterator[Json]:
        links = dict(_LINK.findall(self._text(f"{pid}/links")))
        stat = self._text(f"{pid}/stat").rpartition(")")
        values = stat[2].split()
        if len(values) < 20:
            self.strange.append(f"{pid}/stat")  # it ended meanwhile, or hides
        command = self._text(f"{pid}/cmdline").replace("\0", " ").strip()
        name = stat[0].partition("(")[2]
        user = re.search(r"^Uid:\s+(\d+)", self._text(f"{pid}/status"), re.M)
        parent = values[1] if len(values) > 1 else "?"
        process = f"{links.get(f'{pid}/exe', '')}" or name
        for number, target in links.items():
            if found := re.fullmatch(r"socket:\[(\d+)\]", target):
                self._owners[found[1]] = f"{name} (pid {pid})"
            if number.isdigit() and target.endswith(" (deleted)"):
                path = target.removesuffix(" (deleted)")
                yield self._line(
                    f"{path} is deleted and still open in {name} (pid {pid}): "
                    f"--set paths=/proc/{pid}/fd/{number} takes it",
                    "Open when asked", path=path, process=process, pid=pid,
                )  # fmt: skip
        shown = (command or f"[{name}]")[:SHOWN]
        environment = self._text(f"{pid}/environ").replace("\0", "\n").splitlines()
        yield self._line(
            f"{shown} (pid {pid}, parent {parent}, user {user[1] if user else '?'})",
            "Process started", self._started(values),
            process=process, pid=pid, parent=parent, uid=user[1] if user else "",
            cwd=links.get(f"{pid}/cwd", ""), environment=environment,
            deleted=process.endswith(" (deleted)"),
        )  # fmt: skip

    def _started(self, values: list[str]) -> str:
        """When, by the kernel; when it was asked, where that cannot be told."""
        ticks = values[19] if len(values) > 19 else ""
        if self._boot is None or not ticks.isdecimal() or len(ticks) > 15:
            return self.asked
        try:
            moment = datetime.fromtimestamp(self._boot + int(ticks) / TICKS, UTC)
        except (OverflowError, ValueError, OSError):
            return self.asked
        return moment.isoformat(timespec="milliseconds")

    def _connections(self, name: str) -> Iterator[Json]:
        for row in self._text(f"net/{name}").splitlines()[1:]:
            parts = row.split()
            try:
                here, there = _place(parts[1]), _place(parts[2])
                number, uid, inode = int(parts[3], 16), parts[7], parts[9]
            except (IndexError, ValueError):
                self.strange.append(f"net/{name}")
                continue
            state = _STATES[number - 1] if 0 < number <= len(_STATES) else str(number)
            owner = self._owners.get(inode, "no process that can be seen")
            far: dict[str, Json] = {"dst_ip": there[0], "dst_port": there[1]}
            said = f"is connected from {_shown(here)} to {_shown(there)} ({name}, {state})"
            if state == "listen" or not there[1]:
                far, said = {}, f"listens at {_shown(here)} ({name})"
            yield self._line(
                f"{owner} {said}", "Connection when asked", src_ip=here[0], src_port=here[1],
                state=state, uid=uid, process=owner, **far,
            )  # fmt: skip

    def _text(self, path: str) -> str:
        return self.files.get(path, b"").decode("utf-8", "backslashreplace")

    def _line(self, message: str, meaning: str, when: str = "", **more: Json) -> Json:
        told = {"message": f"{self.container}: {message}", "datetime": when or self.asked,
                "timestamp_desc": meaning, "container": self.container}  # fmt: skip
        return told | {name: value for name, value in more.items() if value not in ("", [], False)}


def _place(text: str) -> tuple[str, int]:
    """Address and port as the kernel writes them: words of 32 bits, each with its bytes turned."""
    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    if len(raw) not in (4, 16):
        raise ValueError(text)
    turned = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return str(ip_address(turned)), int(port, 16)


def _shown(place: tuple[str, int]) -> str:
    return f"[{place[0]}]:{place[1]}" if ":" in place[0] else f"{place[0]}:{place[1]}"
