# SPDX-License-Identifier: Apache-2.0
"""`python -m locard.cli.waiting`: a process that has loaded what runs need, and waits to be one.

One line on standard input says which command it is, and by whose hand. Without a line, when whoever
began it has ended, it ends too.
"""

import json
import os
import sys
from contextlib import suppress

from locard.cases.background import HAND
from locard.cli.main import application, outcome
from locard.cli.terminal import desk
from locard.model.errors import Error
from locard.parsers.lean import without_pandas


def main() -> None:
    """Wait, then run the command and exit as it does."""
    without_pandas()
    application()
    with suppress(Error), desk() as at:  # what is wrong is told by the command
        at.response.warm()
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        return
    told = json.loads(line)
    os.environ[HAND] = json.dumps(told["hand"])
    sys.exit(outcome(told["words"]))


if __name__ == "__main__":
    main()
