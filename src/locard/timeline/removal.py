# SPDX-License-Identifier: Apache-2.0
"""Removing what stands on evidence that is disposed of.

The parts that hold such rows are written anew without them, so that nothing of them is left on the
disk; a deletion that only hides rows would not do.
"""

from collections.abc import Collection, Iterator

from locard.timeline import schema
from locard.timeline.client import Client

_DB = schema.DATABASE
_AT_ONCE = 500
"""Evidence ids in one statement."""


def sharing(client: Client, case: str, evidence: Collection[str]) -> list[str]:
    """Which other evidence holds some of the records whose rows stand on this evidence."""
    found: set[str] = set()
    for listed, values in _portions(case, evidence):
        table = client.table(
            f"""SELECT DISTINCT evidence FROM {_DB}.sightings
WHERE `case` = {{case:String}} AND id IN (
    SELECT id FROM {_DB}.events WHERE `case` = {{case:String}} AND evidence IN ({listed})
)""",
            values,
            seconds=600,
        )
        found |= set(table.column("evidence").to_pylist())
    return sorted(found - set(evidence))


def remove(client: Client, case: str, evidence: Collection[str]) -> None:
    """Remove the rows of `evidence` with all their sightings, and the sightings in `evidence`."""
    for listed, values in _portions(case, evidence):
        for table, more in (
            (
                "sightings",
                f""" OR id IN (SELECT id FROM {_DB}.events
WHERE `case` = {{case:String}} AND evidence IN ({listed}))""",
            ),
            ("events", ""),
        ):
            client.command(
                f"""ALTER TABLE {_DB}.{table} DELETE WHERE `case` = {{case:String}}
AND (evidence IN ({listed}){more}) SETTINGS mutations_sync = 2""",
                values,
            )


def _portions(case: str, evidence: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Placeholders and values for some evidence at a time."""
    wanted = sorted(set(evidence))
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        names = [f"e{number}" for number in range(len(some))]
        listed = ", ".join(f"{{{name}:String}}" for name in names)
        yield listed, {"case": case, **dict(zip(names, some, strict=True))}
