# SPDX-License-Identifier: Apache-2.0
"""Settings: one frozen object, made at the door (command line or API) and passed down."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is and how much of the machine may be used."""

    home: Path
    """Everything of ours lives here: `LOCARD_HOME`, or `~/.locard`."""
    workers: int
    """Parsing processes at work at once: `LOCARD_WORKERS`, or one for each core."""

    @property
    def vault(self) -> Path:
        """The folder of evidence and ledger."""
        return self.home / "vault"

    @property
    def timeline(self) -> Path:
        """The folder of the embedded timeline store."""
        return self.home / "timeline"

    @property
    def state(self) -> Path:
        """The SQLite file of small records."""
        return self.home / "state.sqlite"

    @property
    def scratch(self) -> Path:
        """Room for workers; emptied at will."""
        return self.home / "scratch"


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment asks for."""
    names = os.environ if environment is None else environment
    home = Path(names.get("LOCARD_HOME") or "~/.locard").expanduser().absolute()
    workers = int(names.get("LOCARD_WORKERS") or 0) or (os.cpu_count() or 2)
    return Settings(home=home, workers=workers)
