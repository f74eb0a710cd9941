# SPDX-License-Identifier: Apache-2.0
"""Flow records as columns of the timeline, whole blocks at a time.

Field names are those of the VPC user guide ("Flow log records"), with `-` where Parquet has `_`.
A field that this module does not know is kept as an attribute, so later versions lose nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from locard.parsers.addresses import address
from locard.parsers.attributes import pack
from locard.parsers.rows import Rows
from locard.parsers.times import NotATime, any_time

DEFAULT = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport",
    "protocol", "packets", "bytes", "start", "end", "action", "log-status",
)  # fmt: skip
"""The fields of the default format (version 2), used where no header names others."""

FIELDS = (
    *DEFAULT,
    "vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr",
    "region", "az-id", "sublocation-type", "sublocation-id", "pkt-src-aws-service",
    "pkt-dst-aws-service", "flow-direction", "traffic-path", "ecs-cluster-arn",
    "ecs-cluster-name", "ecs-container-instance-arn", "ecs-container-instance-id",
    "ecs-container-id", "ecs-second-container-id", "ecs-service-name", "ecs-task-definition-arn",
    "ecs-task-arn", "ecs-task-id", "reject-reason", "resource-id", "encryption-status",
)  # fmt: skip
"""All fields that versions 2 to 10 know."""

NUMBERS = frozenset(
    ("version", "account-id", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end",
     "tcp-flags", "traffic-path")
)  # fmt: skip
"""Fields that hold whole numbers, which tables in between may keep as fractions."""

TRANSIT = (
    "version", "resource-type", "account-id", "tgw-id", "tgw-attachment-id",
    "tgw-src-vpc-account-id", "tgw-dst-vpc-account-id", "tgw-src-vpc-id", "tgw-dst-vpc-id",
    "tgw-src-subnet-id", "tgw-dst-subnet-id", "tgw-src-eni", "tgw-dst-eni", "tgw-src-az-id",
    "tgw-dst-az-id", "tgw-pair-attachment-id", "srcaddr", "dstaddr", "srcport", "dstport",
    "protocol", "packets", "bytes", "start", "end", "log-status", "type", "packets-lost-no-route",
    "packets-lost-blackhole", "packets-lost-mtu-exceeded", "packets-lost-ttl-expired", "tcp-flags",
    "region", "flow-direction", "pkt-src-aws-service", "pkt-dst-aws-service",
)  # fmt: skip
"""The fields of the default format of transit gateways (version 6)."""

_PROTOCOLS = {
    "1": "icmp", "2": "igmp", "4": "ipip", "6": "tcp", "17": "udp", "33": "dccp", "41": "ipv6",
    "47": "gre", "50": "esp", "51": "ah", "58": "icmpv6", "89": "ospf", "103": "pim", "112": "vrrp",
    "132": "sctp", "136": "udplite",
}  # fmt: skip
"""IANA protocol numbers that are met in clouds; another number stays a number."""
_FLAGS = ((1, "FIN"), (2, "SYN"), (4, "RST"), (8, "PSH"), (16, "ACK"), (32, "URG"))
_MAPPED = frozenset(
    ("account-id", "region", "srcaddr", "dstaddr", "srcport", "dstport", "action", "interface-id")
)
_LAST_SECOND = 9_223_372_036


def put(
    rows: Rows,
    fields: Mapping[str, pa.Array],
    raws: Sequence[bytes],
    locators: pa.Array | Sequence[str],
    stamps: Sequence[str] | None = None,
) -> None:
    """Append one row for each flow; `fields` are texts, `-` for nothing.

    `stamps` are times that somebody put beside each record; they are the last resort.
    """
    count = len(raws)
    if not count:
        return
    clean = {name: _clean(values) for name, values in fields.items()}
    empty = pa.repeat("", count)

    def get(name: str) -> pa.Array:
        return clean.get(name, empty)

    faults: dict[int, list[str]] = {}
    time, meaning = _time(clean, count, faults, stamps)
    src, dst = (_addresses(_first(clean, names, empty), names[0], faults) for names in _ENDS)
    sport = _ports(get("srcport"), "srcport", faults)
    dport = _ports(get("dstport"), "dstport", faults)
    status = get("log-status")
    action = _either(get("action"), pc.if_else(pc.equal(status, "OK"), "", status))
    protocol = _mapped(get("protocol"), lambda text: _PROTOCOLS.get(text, text))
    attributes: dict[str, Any] = {n: v for n, v in clean.items() if n not in _MAPPED}
    if "protocol" in clean:
        attributes["protocol"] = protocol
    if "tcp-flags" in clean:
        attributes["tcp-flags"] = _mapped(clean["tcp-flags"], _flags)
    attributes.pop("start", None)
    if "end" in clean:
        attributes["end"] = _readable(clean["end"])
    problems = [""] * count
    for number, texts in faults.items():
        problems[number] = "; ".join(texts)
    rows.columns(
        count,
        {
            "time": time,
            "time_meaning": meaning,
            "provider": "aws",
            "account": _mapped(get("account-id"), _account),
            "region": get("region"),
            "host": _either(get("instance-id"), get("interface-id")),
            "action": action,
            "outcome": _mapped(get("action"), lambda text: _OUTCOMES.get(text, "")),
            "resource": _either(get("interface-id"), get("tgw-attachment-id")),
            "src_ip": src,
            "src_port": sport,
            "dst_ip": dst,
            "dst_port": dport,
            "message": _message(action, protocol, src, sport, dst, dport, clean, get),
            "attributes": pack(count, attributes),
            "raw": raws,
            "locator": locators,
            "problem": problems,
        },
    )


_OUTCOMES = {"ACCEPT": "success", "REJECT": "failure"}
_ENDS = (("srcaddr", "pkt-srcaddr"), ("dstaddr", "pkt-dstaddr"))


def _account(text: str) -> str:
    """All twelve digits of an account, also when a table in between held it as a number."""
    return text.zfill(12) if text.isascii() and text.isdigit() else text


def _clean(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, "-"), "", values)


def _either(first: pa.Array, second: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(first, ""), second, first)


def _first(clean: Mapping[str, pa.Array], names: Sequence[str], empty: pa.Array) -> pa.Array:
    for name in names:
        if name in clean:
            return clean[name]
    return empty


def _mapped(values: pa.Array, change: Any) -> pa.Array:
    """`change` applied once for each distinct text."""
    coded = values.dictionary_encode()
    changed = pa.array([change(text) for text in coded.dictionary.to_pylist()], pa.string())
    return changed.take(coded.indices)


def _addresses(values: pa.Array, name: str, faults: dict[int, list[str]]) -> pa.Array:
    found = _mapped(values, address)
    bad = pc.and_(pc.equal(found, ""), pc.not_equal(values, ""))
    for number in np.flatnonzero(np.asarray(bad)).tolist():
        text = values[number].as_py()[:60]
        faults.setdefault(number, []).append(f"{name} {text!r} is no address")
    return found


def _numbers(values: pa.Array, digits: int) -> "tuple[pa.Array, np.ndarray[Any, Any]]":
    """Numbers, 0 where a text is none, and where a text is there that is no number."""
    good = pc.and_(
        pc.match_substring_regex(values, r"^[0-9]+$"),
        pc.less_equal(pc.binary_length(values), digits),
    )
    numbers = pc.if_else(good, values, "0").cast(pa.int64())
    bad = pc.and_(pc.invert(good), pc.not_equal(values, ""))
    return numbers, np.asarray(bad)


def _ports(values: pa.Array, name: str, faults: dict[int, list[str]]) -> pa.Array:
    numbers, bad = _numbers(values, 9)
    high = np.asarray(pc.greater(numbers, 65535))
    for number in np.flatnonzero(bad | high).tolist():
        text = values[number].as_py()[:40]
        faults.setdefault(number, []).append(f"{name} {text!r} is no port")
    return pc.if_else(pa.array(high), 0, numbers).cast(pa.uint16())


def _time(
    clean: Mapping[str, pa.Array],
    count: int,
    faults: dict[int, list[str]],
    stamps: Sequence[str] | None,
) -> tuple[pa.Array, list[str] | str]:
    """Times and what they mean: the start, else the end, else what somebody put beside."""
    name = "end" if "end" in clean and "start" not in clean else "start"
    values = clean.get(name, pa.repeat("", count))
    numbers, bad = _numbers(values, 18)
    late = np.asarray(pc.greater(numbers, _LAST_SECOND))
    for number in np.flatnonzero(bad | late).tolist():
        what = "out of range" if late[number] else "no number"
        text = values[number].as_py()[:40]
        faults.setdefault(number, []).append(f"{name} {text!r} is {what}")
    absent = np.asarray(pc.equal(values, ""))
    nanoseconds = np.where(late, 0, np.asarray(numbers)) * 1_000_000_000
    meanings = [name] * count
    for number in np.flatnonzero(absent).tolist():
        stamp = _stamp(stamps[number]) if stamps else None
        if stamp is None and name in clean:
            faults.setdefault(number, []).append(f"the record has no {name}")
        elif stamp is not None:
            nanoseconds[number], absent[number] = stamp, False
            meanings[number] = "logged"
    times = pa.array(nanoseconds, mask=bad | late | absent).cast(pa.timestamp("ns", "UTC"))
    return times, meanings if "logged" in meanings else name


def _stamp(text: str) -> int | None:
    try:
        return any_time(text) if text else None
    except NotATime:
        return None


def _flags(text: str) -> str:
    """The flags by name behind the number: `18 SYN,ACK`."""
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        return text
    names = [name for bit, name in _FLAGS if int(text) & bit]
    return f"{text} {','.join(names)}" if names else text


def _readable(values: pa.Array) -> pa.Array:
    """ISO times for epoch seconds; what is no such number stays as it is."""
    numbers, bad = _numbers(values, 10)
    bad |= np.asarray(pc.or_(pc.greater(numbers, _LAST_SECOND), pc.equal(values, "")))
    texts = pc.replace_substring(numbers.cast(pa.timestamp("s", "UTC")).cast(pa.string()), " ", "T")
    return pc.if_else(pa.array(bad), values, texts)


def _message(
    action: pa.Array,
    protocol: pa.Array,
    src: pa.Array,
    sport: pa.Array,
    dst: pa.Array,
    dport: pa.Array,
    clean: Mapping[str, pa.Array],
    get: Callable[[str], pa.Array],
) -> pa.Array:
    def end(where: pa.Array, port: pa.Array) -> pa.Array:
        with_port = pc.binary_join_element_wise(where, port.cast(pa.string()), ":")
        return pc.if_else(pc.equal(port, 0), where, with_port)

    far = end(dst, dport)
    to = pc.if_else(pc.equal(far, ""), "", pc.binary_join_element_wise("→", far, " "))
    flow = _joined(" ", action, protocol, end(src, sport), to)
    size = pc.binary_join_element_wise(get("bytes"), "bytes", " ")
    sizes = _joined(", ", flow, pc.if_else(pc.equal(get("bytes"), ""), "", size))
    bare = _joined(" ", action, _either(get("interface-id"), get("tgw-attachment-id")))
    return pc.if_else(pc.equal(src, ""), bare, sizes)


def _joined(between: str, *texts: pa.Array) -> pa.Array:
    """Texts put together, those left out that are empty."""
    joined, *others = texts
    for text in others:
        both = pc.binary_join_element_wise(joined, text, between)
        joined = pc.if_else(
            pc.equal(text, ""), joined, pc.if_else(pc.equal(joined, ""), text, both)
        )
    return joined
