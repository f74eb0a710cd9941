# SPDX-License-Identifier: Apache-2.0
"""The error of a ledger that is not what it was left as."""

from locard.model.errors import Tampered


def changed(fault: str) -> Tampered:
    """The error that says what is wrong with a ledger."""
    return Tampered(
        f"The custody ledger was changed: {fault}.",
        "Run `locard verify` to see all that is wrong, and compare with a copy taken earlier.",
    )
