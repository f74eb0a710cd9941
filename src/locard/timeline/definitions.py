# SPDX-License-Identifier: Apache-2.0
"""Copies of the files that define the store's tables, and putting them back.

The engine writes such a file anew when a setting of a table changes. On a full disk it then leaves
an empty file behind and reports nothing; the table, with all of its rows, could not be opened any
more. So a copy is kept of each, made when the tables were just found good.
"""

import os
from collections.abc import Iterator
from pathlib import Path

KEPT = "definitions"
"""The folder of the copies, beside the engine's own folder."""

BROKEN = "Empty query (in file"
"""What the engine says of a table whose file is empty."""


def keep(engine: Path) -> None:
    """Copy the definitions of a store that was just opened. Raises OSError on a full disk."""
    for file in _files(engine):
        content = file.read_bytes()
        if not content:
            raise OSError(28, os.strerror(28), str(file))
        copy = _copy(engine, file)
        if copy.exists() and copy.read_bytes() == content:
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        _write(copy, content)


def restore(engine: Path) -> bool:
    """Put copies in the place of empty definitions; whether there was one to mend.

    An empty one without a copy is of a table that was never made, and is removed.
    """
    mended = False
    for file in _files(engine):
        if file.stat().st_size:
            continue
        copy = _copy(engine, file)
        if copy.exists():
            _write(file, copy.read_bytes())
        else:
            file.unlink()
        mended = True
    return mended


def _files(engine: Path) -> Iterator[Path]:
    yield from engine.glob("metadata/*.sql")
    for name in ("events", "sightings", "staged_*"):
        yield from engine.glob(f"store/*/*/{name}.sql")


def _copy(engine: Path, file: Path) -> Path:
    return engine.parent / KEPT / file.relative_to(engine)


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, on the disk."""
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
