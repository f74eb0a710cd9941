# SPDX-License-Identifier: Apache-2.0
"""Where a vault keeps its bytes, as people write it: `s3://bucket/prefix?retain=7y`."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from locard.model.errors import Error

_SECRETS = re.compile(r"secret|password|token|sig|sas|credential|key_?id|account_?key|access", re.I)
_SPAN = re.compile(r"(\d{1,6})\s*([dwmy])", re.I)
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


@dataclass(frozen=True, slots=True)
class Place:
    """An address of a store with its options. It never holds credentials."""

    scheme: str
    bucket: str
    """Bucket or container; empty for a folder."""
    path: str
    """The prefix without slashes around it; of a folder its absolute path."""
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> "Place":
        """The place that `text` names. Raises `Error` for what is none, or holds credentials."""
        parts = urlsplit(text.strip())
        if not parts.scheme or not (parts.netloc or parts.path.startswith("/")):
            raise Error(
                f"{text[:80]!r} is no place for a vault.",
                "Write s3://BUCKET/PREFIX, azure://CONTAINER/PREFIX?account=NAME, "
                "gs://BUCKET/PREFIX or file:///FOLDER.",
            )
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if "@" in parts.netloc or any(_SECRETS.search(name) for name in options):
            raise Error(
                "The place of a vault must not carry credentials.",
                "Leave them to the provider's own chain: environment, profile, or the identity of "
                "the machine.",
            )
        path = parts.path if parts.scheme == "file" else parts.path.strip("/")
        return cls(parts.scheme, parts.netloc, path, options)

    @property
    def address(self) -> str:
        """The place without its options."""
        if self.scheme == "file":
            return f"file://{self.path}"
        return f"{self.scheme}://{self.bucket}" + (f"/{self.path}" if self.path else "")

    @property
    def retain(self) -> timedelta | None:
        """How long everything is kept, counted from when it is placed; `retain=7y`."""
        said = self.options.get("retain", "")
        if not said:
            return None
        found = _SPAN.fullmatch(said.strip())
        if not found or not int(found[1]):
            raise Error(
                f"retain={said[:40]} is no time to keep evidence.",
                "Write a number with d, w, m (30 days) or y (365 days), such as retain=7y.",
            )
        return timedelta(days=int(found[1]) * _DAYS[found[2].lower()])

    def allow(self, known: Collection[str]) -> None:
        """Raise `Error` for an option that this kind of store does not know."""
        for name in self.options:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                raise Error(
                    f"{self.scheme}:// has no option {name[:40]!r}.",
                    f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}.",
                )

    def switched(self, name: str, default: bool) -> bool:
        """An option that is `on` or `off`. Raises `Error` for anything else."""
        said = self.options.get(name, "on" if default else "off")
        if said not in ("on", "off"):
            raise Error(f"{name}={said[:40]} is neither on nor off.", f"Write {name}=off.")
        return said == "on"

    def __str__(self) -> str:
        said = "&".join(f"{name}={value}" for name, value in self.options.items())
        return self.address + (f"?{said}" if said else "")


def days(span: timedelta) -> str:
    """A span for people, in days."""
    return f"{span.days:,} day{'' if span.days == 1 else 's'}"
