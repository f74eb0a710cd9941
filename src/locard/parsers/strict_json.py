# SPDX-License-Identifier: Apache-2.0
"""JSON of strangers: duplicate keys are noticed, and whatever was read can be written again."""

import json
from typing import Any

import msgspec

_COMPACT = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")
_ANY = msgspec.json.Decoder()


class BadRecord(ValueError):
    """Bytes that are not the record that they should be; the text says why."""


def read(raw: bytes, faults: list[str]) -> Any:
    """What `raw` says, oddities added to `faults`; raises `BadRecord` when it is no JSON.

    The fast way is taken when writing the value again gives as many bytes as were read: then no
    key was there twice.
    """
    try:
        value = _ANY.decode(raw)
        if len(_COMPACT.encode(value)) == len(raw):
            return value
    except (msgspec.DecodeError, UnicodeError, OverflowError, RecursionError):
        pass
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode(errors="replace")
        faults.append("the record is not valid UTF-8")
    value = strictly(text, faults)
    try:
        return _ANY.decode(plain(value))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return value


def strictly(text: str, faults: list[str]) -> Any:
    """JSON decoded by Python, duplicate keys added to `faults`; raises `BadRecord`."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            names = [name for name, _ in items]
            twice = sorted({n for n in names if names.count(n) > 1}) if len(names) < 1000 else []
            listed = ", ".join(repr(name[:80]) for name in twice[:5])
            faults.append(f"duplicate key {listed}; the last value is shown")
        return found

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except RecursionError as error:
        raise BadRecord("JSON nested too deeply") from error
    except ValueError as error:
        raise BadRecord(f"not valid JSON: {error}") from error


def plain(value: Any) -> bytes:
    """Compact UTF-8 JSON of any value that JSON can spell, keys as they came."""
    try:
        return _COMPACT.encode(value)
    except (OverflowError, UnicodeEncodeError, ValueError, RecursionError):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def in_order(value: Any) -> bytes:
    """Compact UTF-8 JSON with all keys in order: the same for the same content."""
    try:
        return _SORTED.encode(value)
    except (OverflowError, UnicodeEncodeError, ValueError, RecursionError):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return text.encode("utf-8", "replace")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def clean(text: str) -> str:
    """Text without lone surrogates, which no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()


def kind_of(value: Any) -> str:
    """What a person calls the JSON type of a value."""
    names = {dict: "object", list: "list", str: "text", bool: "truth value", type(None): "null"}
    return names.get(type(value), "number")
