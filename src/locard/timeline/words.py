# SPDX-License-Identifier: Apache-2.0
"""The text index over `message` and `raw`: built behind a large import, and what it covers."""

from collections.abc import Callable

from locard.timeline.client import Client


def build(client: Client, case: str, progress: Callable[[int, int], None] | None) -> None:
    """Build the index where it is missing."""
