# SPDX-License-Identifier: Apache-2.0
"""Which field is what, for files of no known source: by names that logs like to use."""

from collections.abc import Mapping, Sequence
from typing import Any

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.mapping import Plan, compile_columns, field, fill_all
from locard.parsers.rows import Rows
from locard.parsers.structured import beginning, form, look
from locard.parsers.times import NotATime, any_time

LISTS = (
    "Records", "records", "events", "Events", "items", "value", "data", "results", "entries",
    "logs", "rows", "logEvents",
)  # fmt: skip
"""Names of lists inside of a JSON document that hold its records."""
_TIMES = (
    "@timestamp", "timestamp", "datetime", "eventtime", "event_time", "time", "_time", "ts",
    "timegenerated", "time_generated", "start_time", "starttime", "creationtime", "created_at",
    "createdat", "occurred_at", "published", "date_time", "logtime", "log_time", "date", "utctime",
    "event.created", "when", "received_at", "receivedat", "activitydatetime", "start",
    "requestreceivedtimestamp", "stagetimestamp", "event_timestamp", "timecreated", "first_seen",
)  # fmt: skip
_NAMES: dict[str, tuple[str, ...]] = {
    "message": ("message", "msg", "log", "text", "summary", "description", "event.original"),
    "host": ("host", "hostname", "host.name", "host.hostname", "computer", "computer_name",
             "node", "machine", "device"),
    "actor": ("user", "username", "user_name", "user.name", "actor", "principal", "account_name",
              "userid", "user_id", "login", "subject", "caller"),
    "action": ("action", "event.action", "eventname", "event_name", "operation", "operationname",
               "activity", "event_type", "eventtype", "event", "verb", "method", "command"),
    "outcome": ("outcome", "event.outcome", "result", "resultstatus", "status"),
    "error": ("error", "errorcode", "error_code", "error.code"),
    "resource": ("resource", "resourceid", "resource_id", "object", "target"),
    "src_ip": ("src_ip", "source_ip", "sourceip", "source.ip", "srcaddr", "src", "client_ip",
               "clientip", "client.ip", "callerip", "calleripaddress", "remote_addr", "remote_ip",
               "ip", "ip_address", "ipaddress", "id.orig_h", "sourceipaddress"),
    "src_port": ("src_port", "source_port", "source.port", "srcport", "sport", "id.orig_p"),
    "dst_ip": ("dst_ip", "dest_ip", "destination_ip", "destination.ip", "dstaddr", "dst",
               "server_ip", "id.resp_h"),
    "dst_port": ("dst_port", "dest_port", "destination_port", "destination.port", "dstport",
                 "dport", "id.resp_p"),
    "process": ("process", "process_name", "process.name", "process.executable", "exe", "image"),
    "file": ("file", "filename", "file_name", "file.path", "filepath", "file_path"),
    "hash": ("sha256", "hash", "sha1", "md5", "file.hash.sha256"),
    "domain": ("domain", "dns.question.name", "query", "server_name"),
    "url": ("url", "url.full", "uri", "request_uri", "url.original"),
    "account": ("account", "account_id", "accountid", "subscriptionid", "project_id", "tenant_id"),
    "region": ("region", "cloud.region", "awsregion", "location", "zone"),
    "session": ("session", "session_id", "sessionid", "session.id"),
}  # fmt: skip


def recognise(head: Head, kind: str) -> Match:
    """The weakest claim of all: records of this kind that have a time, or what a mapping takes."""
    if form(head.first) != kind:
        return NO
    records = look(beginning(head, LISTS), LISTS)[1]
    if head.mapping and _fits(head.mapping, records):
        return Match(16, "records with the time that the mapping names")
    time = _time_of(records)
    if time is None:
        return NO
    return Match(15, f"records with a time in {time!r}")


def _fits(mapping: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of the records has a field that the mapping takes for the time."""
    paths = [
        p for rule in compile_columns(mapping).rules if rule.column == "time" for p in rule.paths
    ]
    return any(field(record, path) not in (None, "") for record in records for path in paths)


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each record, by the user's mapping or by names that are usual."""
    if context.mapping:
        plan = compile_columns(context.mapping)
    else:
        plan = guess(look(beginning(opened, LISTS), LISTS)[1])
    rows.facts["mapping"] = "; ".join(
        f"{rule.column}: {', '.join(rule.paths)}" for rule in plan.rules
    )
    fill_all(plan, opened, rows, context, LISTS)


def guess(records: Sequence[Mapping[str, Any]]) -> Plan:
    """A plan for records like these."""
    columns: dict[str, Any] = {
        "time": {"from": _time_of(records, sure=False) or "time", "as": "timestamp"}
    }
    paths = _paths(records)
    for column, names in _NAMES.items():
        found = [paths[name] for name in names if name in paths]
        if found:
            columns[column] = {"from": found[:3]}
    return compile_columns(columns)


def _paths(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Paths of plain values by their plain names, two levels deep."""
    paths: dict[str, str] = {}
    for record in records:
        for name, value in record.items():
            if isinstance(value, dict):
                for inner, content in value.items():
                    if not isinstance(content, (dict, list)):
                        paths.setdefault(_plain(f"{name}.{inner}"), f"{name}.{inner}")
            elif not isinstance(value, list):
                paths.setdefault(_plain(name), name)
    return paths


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _time_of(records: Sequence[Mapping[str, Any]], *, sure: bool = True) -> str | None:
    """The path whose values are times in most of the records that have it.

    Not `sure`, when somebody said what the file is, the path with the most of them does, and one
    that is named like a time when no value is: each value that is none becomes a problem.
    """
    if not records:
        return None
    paths = _paths(records)
    known = [paths[name] for name in _TIMES if name in paths]
    others = [
        path
        for name, path in paths.items()
        if path not in known and ("time" in name or "date" in name)
    ]
    counts: dict[str, int] = {}
    for path in known + others:
        values = [value for r in records if (value := field(r, path)) not in (None, "")]
        counts[path] = sum(_is_time(value) for value in values)
        if values and 2 * counts[path] > len(values):
            return path
    return None if sure else max(counts, key=counts.__getitem__, default=None)


def _is_time(value: Any) -> bool:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 10**8:
        return False
    if isinstance(value, str) and value.strip().isdigit() and len(value.strip()) < 9:
        return False
    try:
        any_time(value)
    except NotATime:
        return False
    return True
