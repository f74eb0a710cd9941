# SPDX-License-Identifier: Apache-2.0
"""JSON of strangers: duplicate keys are noticed, and whatever was read can be written again."""

import codecs
import json
import math
from decimal import Decimal
from typing import Any

import msgspec

_COMPACT = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")
_ANY = msgspec.json.Decoder()


class BadRecord(ValueError):
    """Bytes that are not the record that they should be; the text says why."""


def read(raw: bytes, faults: list[str]) -> Any:
    """What `raw` says, oddities added to `faults`; raises `BadRecord` when it is no JSON.

    The fast way is taken when writing the value again gives the bytes that were read: then no key
    was there twice. As many bytes are not enough: `1e6` is written `1000000.0`, which hides a key.
    """
    try:
        value = _ANY.decode(raw)
        if _COMPACT.encode(value) == raw:
            return value
    except (msgspec.DecodeError, UnicodeError, OverflowError, RecursionError):
        pass
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode(errors="replace")
        faults.append("the record is not valid UTF-8")
    value = strictly(text, faults, exact=True)
    try:
        return _ANY.decode(plain(value))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return value


def strictly(text: str, faults: list[str], *, exact: bool = False) -> Any:
    """JSON decoded by Python; raises `BadRecord` when it is none.

    Duplicate keys are added to `faults`, and what JSON forbids and other programs write: `NaN`, and
    control characters inside of texts. A number that none of ours can hold is given as its text;
    when `exact`, also one of which a digit would be lost, such as epoch seconds with nine decimals.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            names = [name for name, _ in items]
            twice = sorted({n for n in names if names.count(n) > 1}) if len(names) < 1000 else []
            listed = ", ".join(repr(name[:80]) for name in twice[:5])
            faults.append(f"duplicate key {listed}; the last value is shown")
        return found

    def constant(name: str) -> str:
        fault = f"{name} is not JSON; it is shown as a text"
        if fault not in faults:
            faults.append(fault)
        return name

    def load(strict: bool) -> Any:
        return json.loads(
            text, object_pairs_hook=pairs, parse_constant=constant,
            parse_float=_exact if exact else _float, parse_int=_int, strict=strict,
        )  # fmt: skip

    before = len(faults)
    try:
        return load(True)
    except RecursionError as error:
        raise BadRecord("JSON nested too deeply") from error
    except ValueError as error:
        why = error
    if why.args and str(why.args[0]).startswith("Invalid control character"):
        del faults[before:]
        try:
            value = load(False)
        except (ValueError, RecursionError):
            pass
        else:
            faults.append("control characters stand in a text")
            return value
    raise BadRecord(f"not valid JSON: {why}") from why


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _exact(text: str) -> float | str:
    number = _float(text)
    # A float keeps fifteen digits for certain.
    if isinstance(number, str) or len(text) <= 16 or Decimal(repr(number)) == Decimal(text):
        return number
    return text


def _int(text: str) -> int | str:
    # Python refuses longer ones, because reading them takes time that grows with the square.
    return int(text) if len(text) <= 4300 else text


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Half a character (a lone surrogate) as the six letters that JSON writes for it."""
    assert isinstance(error, UnicodeEncodeError)
    broken = error.object[error.start : error.end]
    return "".join(f"\\\\u{ord(one):04x}" for one in broken), error.end


codecs.register_error("locard.spelled", _spelled)


def plain(value: Any) -> bytes:
    """Compact UTF-8 JSON of any value that JSON can spell, keys as they came."""
    try:
        return _COMPACT.encode(value)
    except (OverflowError, UnicodeEncodeError, ValueError, RecursionError):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "locard.spelled")


def in_order(value: Any) -> bytes:
    """Compact UTF-8 JSON with all keys in order: the same for the same content."""
    try:
        return _SORTED.encode(value)
    except (OverflowError, UnicodeEncodeError, ValueError, RecursionError):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return text.encode("utf-8", "locard.spelled")


def clean(text: str) -> str:
    """Text in which lone surrogates, which no UTF-8 can hold, are spelled out: `\\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode()


def kind_of(value: Any) -> str:
    """What a person calls the JSON type of a value, with its article."""
    names = {
        dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null",
    }  # fmt: skip
    return names.get(type(value), "a number")
