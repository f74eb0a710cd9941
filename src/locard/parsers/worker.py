# SPDX-License-Identifier: Apache-2.0
"""The program of a parsing worker: it confines itself, then parses what it is handed.

Started by `process.py`, with a connected socket among its descriptors. Only the standard library is
imported before the walls are up: a thread that a library started earlier would stay outside.
"""

import gc
import os
import socket
import sys
from pathlib import Path

from locard.parsers.confinement import confine
from locard.parsers.lean import without_pandas


def main(arguments: list[str]) -> None:
    """Confine this process, greet the parent, serve."""
    descriptor, scratch, memory_bytes, *more = arguments
    connection = socket.socket(fileno=int(descriptor))
    os.chdir(scratch)
    folders = [Path(folder) for folder in more]
    walls, memory = confine(Path(scratch), int(memory_bytes), folders)

    without_pandas()
    import pyarrow as pa

    from locard.parsers.serve import Server

    pa.set_cpu_count(1)
    server = Server(connection, Path(scratch), folders, memory)
    memory.settle()
    server.greet(walls)
    # Rows are many small things without cycles among them; looking for some takes a tenth of the
    # time at Python's own pace.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
