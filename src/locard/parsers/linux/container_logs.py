# SPDX-License-Identifier: Apache-2.0
"""Containers as they stand on a host's disk: Docker's JSON logs and configurations, CRI logs."""

import json
import re
from datetime import UTC, datetime
from typing import Any, BinaryIO

from locard.parsers.linux.place import Line, Place, lines, text, too_long
from locard.parsers.linux.syslog_lines import epoch
from locard.parsers.rows import Rows

_CRI = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "
    rb"(stdout|stderr) ([FP](?::\S+)?) (.*)\Z",
    re.DOTALL,
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)?\Z")
_IDENTIFIER = re.compile(r"[0-9a-f]{64}")
_POD = re.compile(r"/pods/([^/_]+)_([^/_]+)_[^/]*/([^/]+)/")
_WHOLE = 8 << 20
_STATES = (
    ("Created", "container created"), ("StartedAt", "container started"),
    ("FinishedAt", "container finished"),
)  # fmt: skip


def read_docker_log(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each line that a container wrote."""
    container = _container(place.path)
    for line in lines(stream, place, rows):
        if too_long(line, place, rows) or not line.data.strip():
            continue
        try:
            value = json.loads(line.data)
            when = instant(str(value["time"]))
            said, channel = str(value["log"]), str(value.get("stream", ""))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
            place.problem(
                rows, line.offset, f"a line that is no Docker log record: {fault}", line.data
            )
            continue
        _said(line, when, said, channel, container, {}, place, rows)


def read_cri_log(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each line of a log in the form of the Container Runtime Interface."""
    attributes: dict[str, str] = {}
    container = ""
    if match := _POD.search(place.path):
        attributes = {"namespace": match[1], "pod": match[2]}
        container = match[3]
    for line in lines(stream, place, rows):
        if too_long(line, place, rows) or not line.data.strip():
            continue
        match_line = _CRI.match(line.data)
        when = instant(match_line[1].decode()) if match_line else None
        if match_line is None or when is None:
            place.problem(rows, line.offset, "a line that is no CRI log record", line.data)
            continue
        partial = {"partial": "true"} if match_line[3][:1] == b"P" else {}
        _said(
            line, when, text(match_line[4]), match_line[2].decode(), container,
            {**attributes, **partial}, place, rows,
        )  # fmt: skip


def _said(
    line: Line, when: int | None, said: str, channel: str, container: str,
    attributes: dict[str, str], place: Place, rows: Rows,
) -> None:  # fmt: skip
    clean = said.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    place.row(
        rows,
        line.offset,
        {"stream": channel, **attributes},
        time=when,
        time_meaning="event" if when is not None else "",
        action="container log",
        resource=container,
        message=clean.rstrip("\n"),
        raw=line.data,
        problem="" if when is not None else "a record without a time that can be read",
    )


def read_docker_config(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each time that a container's configuration names."""
    data = stream.read(_WHOLE)
    try:
        value: Any = json.loads(data)
        config, state = value.get("Config") or {}, value.get("State") or {}
        name = str(value.get("Name") or "").lstrip("/")
        image = str(config.get("Image") or value.get("Image") or "")
        command = [
            str(part) for part in (config.get("Entrypoint") or []) + (config.get("Cmd") or [])
        ]
        identifier = str(value.get("ID") or _container(place.path))
        host_config = value.get("HostConfig") or {}
        attributes = {
            "container": identifier, "name": name, "image": image, "command": " ".join(command),
            "user": str(config.get("User") or ""), "driver": str(value.get("Driver") or ""),
            "pid": str(state.get("Pid") or ""), "exit": str(state.get("ExitCode", "")),
            "running": str(state.get("Running", "")).lower(),
            "privileged": str(host_config.get("Privileged", "")).lower(),
            "binds": ", ".join(map(str, host_config.get("Binds") or [])),
            "mounts": ", ".join(map(str, value.get("MountPoints") or {})),
        }  # fmt: skip
    except (ValueError, AttributeError, TypeError, RecursionError) as fault:
        place.problem(rows, 0, f"this is no container configuration: {fault}", data)
        return
    attributes = {key: found[:4096] for key, found in attributes.items() if found}
    times = {"Created": value.get("Created"), **{key: state.get(key) for key, _ in _STATES[1:]}}
    known: list[tuple[str, str, int | None]] = [
        (key, action, when)
        for key, action in _STATES
        if (when := instant(str(times.get(key) or ""))) is not None and when > 0
    ]
    none: list[tuple[str, str, int | None]] = [("", "container", None)]
    for key, action, when in known or none:
        place.row(
            rows, key.lower() or 0, attributes, time=when,
            time_meaning=action.removeprefix("container ") if when is not None else "",
            action=action, resource=name or identifier, process=" ".join(command),
            message=f"{action} {name or identifier} ({image}): {' '.join(command)}",
            raw=data[:65_536],
        )  # fmt: skip


def instant(shown: str) -> int | None:
    """UTC nanoseconds of an RFC 3339 time with up to nine digits; None when it is none."""
    match = _TIME.match(shown)
    if match is None:
        return None
    try:
        when = datetime.fromisoformat(match[1] + (match[3] or "Z"))
    except ValueError:
        return None
    return epoch(when.astimezone(UTC)) + int((match[2] or "0").ljust(9, "0"))


def _container(path: str) -> str:
    match = _IDENTIFIER.search(path)
    return match[0] if match else ""
