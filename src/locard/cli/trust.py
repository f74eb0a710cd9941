# SPDX-License-Identifier: Apache-2.0
"""Keys, roots and checkpoints that a person got elsewhere and names on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from locard.model.errors import Missing

if TYPE_CHECKING:
    from cryptography import x509

    from locard_verify.keys import Key


def keys(paths: Sequence[Path] | None) -> "list[Key]":
    """The verifier keys in these files. Raises `Missing` for a file that holds none."""
    from locard_verify import command

    try:
        return command.keys(paths or [])
    except command.Mistake as error:
        raise Missing(str(error), "A key is one line of the form NAME+ID+KEY.") from error


def roots(paths: Sequence[Path] | None) -> "list[x509.Certificate] | None":
    """The certificates in these files, None without any. Raises `Missing`."""
    from locard_verify import command

    try:
        return command.root_certificates(paths or [])
    except command.Mistake as error:
        raise Missing(str(error), "Name a file with certificates in PEM.") from error


def checkpoints(paths: Sequence[Path] | None) -> list[bytes]:
    """The notes in these files. Raises `Missing` for one that cannot be read."""
    from locard_verify import command

    try:
        return command.notes(paths or [])
    except command.Mistake as error:
        raise Missing(str(error)) from error
