# SPDX-License-Identifier: Apache-2.0
"""`python -m locard_verify` is `locard-verify`."""

import sys

from locard_verify.command import main


def run() -> None:
    """Run the command and exit."""
    sys.exit(main())


if __name__ == "__main__":
    run()
