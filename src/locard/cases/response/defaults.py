# SPDX-License-Identifier: Apache-2.0
"""What this installation chooses where nobody says otherwise: `LOCARD_HOME/actions.toml`.

["collect.aws.memory"]
tool = "/opt/avml"
bucket = "acme-evidence-uploads"
"""

import tomllib
from pathlib import Path

from locard.actions.contract import Action
from locard.model.action import Json
from locard.model.errors import Error

FILE = "actions.toml"


def of(home: Path, action: Action) -> dict[str, Json]:
    """The options of an action as its own defaults and this installation's say."""
    known: dict[str, Json] = {one.name: one.default for one in action.options}
    file = home / FILE
    try:
        said = tomllib.loads(file.read_text("utf-8")).get(action.id, {})
    except FileNotFoundError:
        return known
    except (OSError, ValueError) as error:
        raise Error(f"{file} cannot be understood: {error}.", _FORM) from error
    if not isinstance(said, dict) or set(said) - set(known):
        strange = ", ".join(sorted(set(said) - set(known))) if isinstance(said, dict) else said
        raise Error(f"{file}: {action.id} has no option {strange}.", f"It has: {', '.join(known)}.")
    for name, value in said.items():
        if isinstance(value, bool) != isinstance(known[name], bool):
            raise Error(f"{file}: {name} of {action.id} cannot be {value!r}.", _FORM)
        known[name] = value if isinstance(value, bool) else str(value)
    return known


_FORM = 'It holds a table for each action: ["collect.aws.memory"], then tool = "/opt/avml".'
