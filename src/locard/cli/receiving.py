# SPDX-License-Identifier: Apache-2.0
"""`python -m locard.cli.receiving`: a run that takes in one upload and parses it meanwhile.

The server begins it and gives it the bytes on standard input (`locard.cases.receiving`).
"""

import io
import os
import sys

from locard.cases.background import handed_on
from locard.cases.receiving import take
from locard.cli.terminal import desk
from locard.parsers.lean import without_pandas


def main() -> None:
    """Take in, answer, parse."""
    without_pandas()
    hand = handed_on()
    assert hand is not None, "only another process of ours begins this one"
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whoever prints must not answer
    with desk() as at:
        take(
            lambda sent, stream, held: at.take_in(sent, stream, who=hand, held=held),
            io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False)),
            answers,
        )


if __name__ == "__main__":
    main()
