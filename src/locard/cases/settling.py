# SPDX-License-Identifier: Apache-2.0
"""Which cases have new rows without what has to follow them: folding, copies, the text index.

A run that is killed after its last row leaves nothing to be parsed. So it says before its first row
that it is not over yet, and the next run in the case does what was left, also when it adds nothing.
"""

from pathlib import Path


def begin(home: Path, case: str) -> bool:
    """Say that rows may come. Whether an earlier run said so and did not end."""
    path = _path(home, case)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    left = path.exists()
    path.touch(mode=0o600)
    return left


def over(home: Path, case: str) -> None:
    """Say that everything has followed."""
    _path(home, case).unlink(missing_ok=True)


def left(home: Path, case: str) -> bool:
    """Whether something has to follow still, or a run is at it."""
    return _path(home, case).exists()


def _path(home: Path, case: str) -> Path:
    return home / "unsettled" / case
