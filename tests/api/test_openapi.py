# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from locard.api.openapi import description

COMMITTED = Path(__file__).parent.parent.parent / "openapi.json"


def test_the_committed_description_is_that_of_the_routes() -> None:
    assert COMMITTED.read_text() == description(), (
        "run: python -m locard.api.openapi > openapi.json"
    )
