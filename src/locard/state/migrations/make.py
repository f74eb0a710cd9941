# SPDX-License-Identifier: Apache-2.0
"""Writes the next migration from the difference between the tables and the last one.

python -m locard.state.migrations.make "what changes"
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from locard.state.database import migrations
from locard.state.tables import Table


def make(message: str) -> None:
    """Write a migration named `message` beside the others."""
    config = migrations()
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'state.sqlite'}")
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            config.attributes["tables"] = Table.metadata
            command.upgrade(config, "head")
            number = len(list((Path(__file__).parent / "versions").glob("*.py"))) + 1
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")


if __name__ == "__main__":
    make(sys.argv[1])
