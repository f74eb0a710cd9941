# SPDX-License-Identifier: Apache-2.0
"""Keeps out of a process what a library would load though nobody needs it."""

import os
import sys


class _Without:
    """Hides pandas, which pyarrow looks for in the first array that it makes."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Nothing of pandas is found; anything else is not ours to find."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is hidden from Locard")


def without_pandas() -> None:
    """Let no pandas be found from now on.

    Nothing of ours uses it, and importing it costs each process a second and 60 MB.
    """
    sys.meta_path.insert(0, _Without())


def without_threads() -> None:
    """Let numpy start no threads for the algebra that nobody here does: they spin for a while."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
