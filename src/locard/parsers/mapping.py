# SPDX-License-Identifier: Apache-2.0
"""Parsers as data: which field of a record becomes which column.

The language, the same in `source.yaml` below `columns:` and in a mapping that a user saves:

    action: event.name                      # the field at this path
    src_ip: {from: [client.ip, ip]}         # the first of several that is there
    time:   {from: ts, as: epoch_ms}        # read as something
    time:   {join: [day, hour], form: "%d.%m.%Y %H:%M"}   # several fields in one, written so
    provider: {const: gcp}                  # always this
    outcome: {from: ok, values: {"true": success, "false": failure}, default: ""}

Fields that no column takes become attributes; so does the second of several that says something
else than the first. Anything that is not in the language is refused,
all faults at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from locard.model.errors import Error
from locard.model.event import COLUMNS, Kind
from locard.parsers.addresses import address
from locard.parsers.attributes import pack
from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.rows import Rows
from locard.parsers.strict_json import plain
from locard.parsers.structured import FORMATS, Found, beginning, found_batches, look
from locard.parsers.times import UNITS, NotATime, any_time, epoch, misformed, written

_KINDS = {column.name: column.kind for column in COLUMNS}
_OURS = frozenset(
    ("id", "source", "source_version", "attributes", "raw", "evidence", "locator", "problem")
)
_WORDS = frozenset(("from", "join", "as", "form", "default", "const", "values"))
_READINGS = ("timestamp", *UNITS, "address", "lower", "port", "text")
_FITTING: Mapping[Kind, tuple[str, ...]] = {
    Kind.TIME: ("timestamp", *UNITS),
    Kind.ADDRESS: ("address",),
    Kind.PORT: ("port",),
}
"""What a column of these kinds can be read as; a column of text as text, lower or address."""
_MOST_NAMES = 512
_MOST_DEPTH = 8


class BadMapping(Error):
    """A mapping that is not in the language; the message names every fault."""

    http_status = 422

    def __init__(self, message: str, advice: str = "", faults: Sequence[str] = ()) -> None:
        super().__init__(message, advice)
        self.faults = tuple(faults)
        """Each with the name of its column in front."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one column is filled."""

    column: str
    paths: tuple[str, ...]
    reading: str
    const: str | None
    default: str
    values: Mapping[str, str] | None
    form: str = ""
    """How a time is written, as `datetime.strptime` takes it."""
    joined: bool = False
    """The fields of all paths make the value, with blanks between, and not the first of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All rules of a mapping, checked."""

    rules: tuple[Rule, ...]

    @property
    def taken(self) -> frozenset[str]:
        """Paths of which `_column` sees to it that a column or an attribute shows them."""
        return frozenset(p for rule in self.rules for p in rule.paths if rule.values is None)

    @property
    def shown(self) -> frozenset[str]:
        """Paths that a column shows in every record."""
        sure = (rule for rule in self.rules if rule.joined or len(rule.paths) == 1)
        return frozenset(p for rule in sure for p in rule.paths)


def compile_columns(columns: object) -> Plan:
    """The plan that a mapping describes; raises `BadMapping` with all faults."""
    faults: list[str] = []
    rules: list[Rule] = []
    if isinstance(columns, Mapping) and isinstance(columns.get("columns"), Mapping):
        columns = columns["columns"]
    if not isinstance(columns, Mapping) or not columns:
        raise BadMapping(
            "The mapping has no columns.", "Write lines such as `time: {from: ts, as: timestamp}`."
        )
    for name, content in columns.items():
        if name not in _KINDS:
            faults.append(f"{name}: there is no such column")
        elif name in _OURS:
            faults.append(f"{name}: this column is filled by Locard itself")
        else:
            rules.append(_rule(str(name), content, faults))
    if faults:
        raise BadMapping(
            f"The mapping has {len(faults)} fault{'s' * (len(faults) > 1)}: " + "; ".join(faults),
            "See docs/howto/map-your-own-logs.md for the whole language.",
            faults,
        )
    return Plan(tuple(rules))


def _rule(name: str, content: object, faults: list[str]) -> Rule:
    reading = _natural(name)
    if isinstance(content, str):
        return Rule(name, (content,), reading, None, "", None)
    if not isinstance(content, Mapping):
        faults.append(f"{name}: neither a field nor a rule in braces")
        return Rule(name, (), reading, None, "", None)
    allowed = ", ".join(sorted(_WORDS))
    faults += [f"{name}: {word!r} is none of {allowed}" for word in content if word not in _WORDS]
    joined = "join" in content
    paths = content.get("join" if joined else "from", ())
    paths = (paths,) if isinstance(paths, str) else paths
    if not isinstance(paths, Sequence) or not all(isinstance(p, str) and p for p in paths):
        faults.append(f"{name}: `from` must be a field or a list of fields, and so must `join`")
        paths = ()
    const = content.get("const")
    if (const is None) + ("from" not in content) + (not joined) != 2:
        faults.append(f"{name}: needs one of `from`, `join` and `const`")
    elif not paths and const is None:
        faults.append(f"{name}: names no field")
    asked = content.get("as", reading)
    faults += _misfits(name, asked, const)
    form = content.get("form", "")
    faults += _misformed(name, form, content)
    values = content.get("values")
    if values is not None and not isinstance(values, Mapping):
        faults.append(f"{name}: `values` must be pairs of text")
        values = None
    return Rule(
        name,
        tuple(paths),
        str(asked),
        None if const is None else _text(const),
        _text(content.get("default", "")),
        None if values is None else {_text(k): _text(v) for k, v in values.items()},
        _text(form),
        joined,
    )


def _misformed(name: str, form: object, content: Mapping[Any, Any]) -> list[str]:
    """Why `form` does not say how the times of this column are written."""
    if "form" not in content:
        return []
    if _KINDS[name] is not Kind.TIME or "as" in content:
        return [f"{name}: `form` says how a time is written, and stands without `as`"]
    if not isinstance(form, str) or len(form) > 80:
        return [f"{name}: `form` must be text such as '%d.%m.%Y %H:%M'"]
    fault = misformed(form)
    return [f"{name}: `form: {form}`: {fault}"] if fault else []


def _misfits(name: str, asked: object, const: object) -> list[str]:
    """Why a column cannot be read as `asked`, or hold `const`."""
    kind = _KINDS[name]
    fitting = _FITTING.get(kind, ("text", "lower", "address"))
    if isinstance(asked, str) and "%" in asked:
        return [f"{name}: how a time is written is said with `form: {asked[:80]!r}`"]
    if asked not in _READINGS:
        return [f"{name}: `as: {asked}` is none of {', '.join(_READINGS)}"]
    if kind is Kind.TIME and const is not None:
        return [f"{name}: the same time for every record would be an invented one; use `from`"]
    if asked not in fitting:
        return [f"{name}: is read as {' or '.join(fitting)}, not as {asked}"]
    read = _READERS.get(str(asked))
    text = _text(const)
    if text and read and asked != "lower" and not read(text) and text != "0":
        return [f"{name}: {text[:80]!r} is no {asked}"]
    return []


def _natural(name: str) -> str:
    return {Kind.TIME: "timestamp", Kind.ADDRESS: "address", Kind.PORT: "port"}.get(
        _KINDS[name], "text"
    )


def recognise(source: Mapping[str, Any], head: Head) -> Match:
    """The claim of a parser that is data: its `recognise:` names a format and fields."""
    asked = source.get("recognise")
    if not isinstance(asked, Mapping):
        return NO
    wanted = asked.get("fields", ())
    form, first = look(beginning(head))
    if form not in asked.get("format", FORMATS) or not first or not wanted:
        return NO
    hits = sum(any(field(record, path) is not None for record in first) for path in wanted)
    if hits < len(wanted):
        return NO
    return Match(int(asked.get("score", 70)), f"{form} with the fields {', '.join(wanted)}")


def parse(source: Mapping[str, Any], opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each record, as the parser's `columns:` say."""
    plan = compile_columns(context.mapping or source.get("columns"))
    fill_all(plan, opened, rows, context, _names(source.get("lists", ())))


def _names(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()


def fill_all(
    plan: Plan, opened: Opened, rows: Rows, context: Context, lists: Sequence[str] = ()
) -> None:
    """Append a row for each record of a JSON or CSV file."""
    for batch in found_batches(opened, context, lists):
        fill(plan, batch, rows, context)


def fill(plan: Plan, batch: Sequence[Found], rows: Rows, context: Context) -> None:
    """Append the records of one batch."""
    if not batch:
        return
    problems = [item.fault for item in batch]
    records = [item.record for item in batch]
    leftover: list[dict[str, str]] = [{} for _ in batch]
    columns: dict[str, Any] = {}
    shown = plan.shown
    for rule in plan.rules:
        columns[rule.column] = _column(rule, records, problems, leftover, context.zone)
        if len(rule.paths) > 1 and rule.values is None and not rule.joined:
            _keep_others(rule, records, leftover, shown)
    if "host" not in columns or context.host:
        hosts = columns.get("host", [""] * len(batch))
        columns["host"] = [host or context.host for host in hosts]
    columns.setdefault("time_meaning", "event")
    if "message" not in columns:
        times = frozenset(p for rule in plan.rules if rule.column == "time" for p in rule.paths)
        columns["message"] = [_sentence(record, times) for record in records]
    taken = plan.taken
    for record, rest in zip(records, leftover, strict=True):
        _flatten(record, "", rest, taken, 0)
    columns["attributes"] = pack(len(batch), _by_name(leftover))
    columns["raw"] = [item.raw for item in batch]
    columns["locator"] = [item.locator for item in batch]
    columns["problem"] = problems
    rows.columns(len(batch), columns)


def _column(
    rule: Rule,
    records: Sequence[Mapping[str, Any]],
    problems: list[str],
    leftover: list[dict[str, str]],
    zone: str,
) -> list[Any]:
    read = _READERS.get(rule.reading)
    if rule.const is not None:
        return [read(rule.const) if read else rule.const] * len(records)
    values: list[Any] = []
    for number, record in enumerate(records):
        path, value = _value(rule, record)
        if rule.reading == "timestamp" or rule.reading in UNITS:
            values.append(_time(rule, value, number, problems, zone))
            continue
        text = _text(value)
        if rule.values is not None:
            text = rule.values.get(text, rule.default or text)
        text = text or rule.default
        result = read(text) if read else text
        if text and read and rule.reading != "lower" and not result and text != "0":
            leftover[number][path] = text
        values.append(result)
    return values


def _value(rule: Rule, record: Mapping[str, Any]) -> tuple[str, Any]:
    """What the record has for this rule, None or empty text for nothing, and at which path."""
    if rule.joined:
        texts = (_text(field(record, path)) for path in rule.paths)
        return rule.paths[0], " ".join(filter(None, texts))
    for path in rule.paths:
        value = field(record, path)
        if value is not None and value != "":
            return path, value
    return rule.paths[0], None


def _keep_others(
    rule: Rule,
    records: Sequence[Mapping[str, Any]],
    leftover: list[dict[str, str]],
    shown: frozenset[str],
) -> None:
    """Add what the further paths of a rule hold to `leftover`, unless it is what the first held."""
    for record, rest in zip(records, leftover, strict=True):
        first, value = _value(rule, record)
        for path in rule.paths:
            other = None if path == first or path in shown else field(record, path)
            if other not in (None, "", value):
                rest[path] = _text(other)


def _time(rule: Rule, value: Any, number: int, problems: list[str], zone: str) -> int | None:
    name = rule.paths[0]
    if value is None or value == "":
        problems[number] = problems[number] or f"no time in {name!r}"
        return None
    try:
        if rule.form:
            return written(_text(value), rule.form, zone)
        if rule.reading == "timestamp":
            return any_time(value, zone)
        return epoch(value if isinstance(value, (int, float)) else str(value), UNITS[rule.reading])
    except NotATime as error:
        fault = f"{name} {_text(value)[:80]!r}: {error}"
        problems[number] = f"{problems[number]}; {fault}" if problems[number] else fault
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and int(text[:9]) < 65536 else 0


_READERS: dict[str, Callable[[str], Any]] = {
    "address": lambda text: address(text.strip()),
    "lower": str.lower,
    "port": _number,
}


def field(record: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; a name that itself holds dots comes first. None for nothing."""
    if path in record:
        return record[path]
    value: Any = record
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value).decode() if isinstance(value, (dict, list)) else str(value)


def _flatten(
    record: Mapping[str, Any], prefix: str, into: dict[str, str], taken: frozenset[str], depth: int
) -> None:
    for name, value in record.items():
        path = prefix + name
        if path in taken or value is None or value == "":
            continue
        if isinstance(value, dict) and depth < _MOST_DEPTH and value:
            _flatten(value, path + ".", into, taken, depth + 1)
        else:
            into[path] = _text(value)


def _by_name(records: Sequence[Mapping[str, str]]) -> dict[str, list[str | None]]:
    """Attributes by name; names beyond the 512th go into `further`, because evidence is hostile."""
    columns: dict[str, list[str | None]] = {}
    further: dict[int, dict[str, str]] = {}
    for number, record in enumerate(records):
        for name, text in record.items():
            column = columns.get(name)
            if column is None:
                if len(columns) >= _MOST_NAMES:
                    further.setdefault(number, {})[name] = text
                    continue
                column = columns[name] = [None] * len(records)
            column[number] = text
    if further:
        packed = {number: plain(rest).decode() for number, rest in further.items()}
        columns["further"] = [packed.get(number) for number in range(len(records))]
    return columns


def _sentence(record: Mapping[str, Any], leave_out: frozenset[str]) -> str:
    """The first fields of a record that has no message of its own."""
    pairs: dict[str, str] = {}
    _flatten(record, "", pairs, leave_out, 0)
    return " ".join(f"{name}={text[:80]}" for name, text in list(pairs.items())[:8])
