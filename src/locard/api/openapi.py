# SPDX-License-Identifier: Apache-2.0
"""Prints the description of the API: `python -m locard.api.openapi > openapi.json`.

The page's types are generated from that file, and a test compares it with the routes.
"""

import json
import sys

from locard.api import app


def description() -> str:
    """The text of `openapi.json`."""
    return json.dumps(app.description(app.assemble()), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(description())
