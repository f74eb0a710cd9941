# SPDX-License-Identifier: Apache-2.0
"""Logs and configurations of containers as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import container_logs
from locard.parsers.linux.looks import all_match, lines_of
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_LOG = re.compile(rb'\{"log":".*"(?:,"stream":"(?:stdout|stderr)")?(?:,"attrs":.*)?,"time":"\d{4}-')
_CRI = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP](?::\S+)? ")
_STATE = re.compile(rb'"State"\s*:\s*\{')
_PARTS = (rb'"Config"', rb'"Image"', rb'"Created"')


def recognise(head: Head) -> Match:
    """One of the two forms of container logs, or a container's configuration."""
    form = _form(lines_of(head), head.first)
    return Match(95, form) if form else NO


def _form(lines: list[bytes], first: bytes) -> str:
    if all_match(lines, _LOG, 0.8):
        return "log of a Docker container"
    if all_match(lines, _CRI, 0.8):
        return "container log of a Kubernetes node"
    if first.lstrip()[:1] == b"{" and _STATE.search(first) and all(p in first for p in _PARTS):
        return "configuration of a Docker container"
    return ""


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each line, or for each time of a configuration."""
    place = loose(opened, context, "linux.docker")
    first = opened.stream().read(65_536)
    form = _form([line for line in first.split(b"\n") if line.strip()][:200], first)
    readers = {
        "container log of a Kubernetes node": container_logs.read_cri_log,
        "configuration of a Docker container": container_logs.read_docker_config,
    }
    readers.get(form, container_logs.read_docker_log)(opened.stream(), place, rows)
