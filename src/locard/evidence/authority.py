# SPDX-License-Identifier: Apache-2.0
"""The time-stamping authority (RFC 3161) that the user configured, and asking it.

authorities/current.json   its address and the SHA-256 of its root certificates
authorities/*.pem          every root certificate that was ever trusted here, by its SHA-256

A token is parsed and verified when it is taken: one that nobody could verify later is no token.
"""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from locard import __version__
from locard.model.errors import Error
from locard_verify.malformed import Malformed

if TYPE_CHECKING:
    from locard_verify.stamp import Stamp

PATIENCE = 10
"""Seconds that an authority has to answer."""


class Unstamped(Exception):
    """There is no token now. The message is a clause that says why."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamping authority and the root certificates that its tokens are judged by."""

    url: str
    roots: tuple[bytes, ...]
    """In PEM, as the user gave them."""

    @classmethod
    def at(cls, url: str, roots: tuple[bytes, ...]) -> "Authority":
        """The authority at this address. Raises `Error` for an address or a root that is none."""
        from locard_verify import stamp

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Error(
                f"{url[:100]!r} is no address of a time-stamping authority.",
                "Write it like https://tsa.example.com/tsr. Plain http is usual and safe: what "
                "comes back is signed.",
            )
        if parts.username or parts.password:
            raise Error(
                "The address of a time-stamping authority must not carry credentials.",
                "It is written into the ledger. Use an authority that asks for none, or a proxy.",
            )
        if not roots:
            raise Error(
                "The root certificate of the time-stamping authority is missing.",
                "Get it from the authority, not from a token, and name its file with --roots.",
            )
        for pem in roots:
            try:
                stamp.certificates(pem)
            except Malformed as error:
                raise Error(
                    f"A root certificate cannot be read: {error}.", "It must be a PEM file."
                ) from error
        return cls(url, roots)

    @property
    def digests(self) -> tuple[str, ...]:
        """The SHA-256 of each root certificate's file."""
        return tuple(sha256(pem).hexdigest() for pem in self.roots)

    def ask(self, note: bytes) -> "tuple[bytes, Stamp]":
        """A verified response over these bytes, and what it says. Raises `Unstamped`."""
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

        from locard_verify import stamp

        wanted = TimestampRequestBuilder(note, HashAlgorithm.SHA256).build()
        request = urllib.request.Request(  # noqa: S310 (http and https only, see `at`)
            self.url,
            wanted.as_bytes(),
            {
                "Content-Type": "application/timestamp-query",
                "Accept": "application/timestamp-reply",
                "User-Agent": f"locard/{__version__}",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                response = answer.read(stamp.LARGEST + 1)
        except urllib.error.HTTPError as error:
            raise Unstamped(f"it answered with HTTP {error.code}") from error
        except (urllib.error.URLError, OSError, ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise Unstamped(f"it could not be reached: {reason}") from error
        return response, self.check(response, note, wanted.nonce)

    def check(self, response: bytes, note: bytes, nonce: int | None = None) -> "Stamp":
        """What a response over these bytes says. Raises `Unstamped` when it does not hold."""
        from locard_verify import stamp

        trusted = [one for pem in self.roots for one in stamp.certificates(pem)]
        try:
            return stamp.check(response, note, trusted, nonce)
        except Malformed as error:
            raise Unstamped(f"what it answered is no use: {error}") from error


class Authorities:
    """The folder of authorities beside a ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Authority | None:
        """The authority that is asked now. Raises `Error` when its files are not what they were."""
        path = self.folder / "current.json"
        try:
            said = json.loads(path.read_bytes())
            roots = tuple((self.folder / f"{one}.pem").read_bytes() for one in said["roots"])
            found = Authority(said["url"], roots)
        except FileNotFoundError:
            if path.exists():
                raise _broken(path) from None
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _broken(path) from error
        if list(found.digests) != said["roots"]:
            raise _broken(path)
        return found if found.url else None

    def keep(self, authority: Authority | None) -> None:
        """Ask this one from now on, or none."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        url, roots, digests = ("", (), ()) if authority is None else (
            authority.url, authority.roots, authority.digests
        )  # fmt: skip
        for digest, pem in zip(digests, roots, strict=True):
            (self.folder / f"{digest}.pem").write_bytes(pem)
        new = self.folder / "current.new"
        new.write_text(json.dumps({"url": url, "roots": list(digests)}) + "\n")
        new.replace(self.folder / "current.json")


def _broken(path: Path) -> Error:
    return Error(
        f"The time-stamping authority in {path} is not what was configured.",
        "Configure it again: `locard custody authority URL --roots FILE`.",
    )
