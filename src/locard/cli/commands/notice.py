# SPDX-License-Identifier: Apache-2.0
"""`locard notice`: who was told what, and whether a channel works."""

from dataclasses import asdict
from typing import Annotated

import typer

from locard.cli.terminal import Json, desk, emit, listing, moment, out

EXAMPLES = """Examples:

    locard notice list breach

    locard notice test oncall

Channels stand in response.yaml. A notice that cannot be sent stops nothing; it is listed here.
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Who was told what.", epilog=EXAMPLES)
    group.command("list", epilog="Example: locard notice list breach --json")(list_notices)
    group.command("test", epilog="Example: locard notice test oncall")(test)
    app.add_typer(group, name="notice")


def list_notices(
    case: Annotated[str, typer.Argument(help="Of this case; of all if left out.")] = "",
    as_json: Json = False,
) -> None:
    """List notices, the newest first, with what became of each."""
    with desk() as at:
        found = at.response.notices.every(case)
    if as_json:
        emit([asdict(one) for one in found])
        return
    listing(
        [
            {
                "time": moment(one.time),
                "channel": one.channel,
                "about": one.about,
                "subject": one.subject,
                "case": one.case,
                "sent": "yes" if one.sent else f"no: {one.error}",
            }
            for one in found
        ],
        "subject",
    )


def test(
    channel: Annotated[str, typer.Argument(help="The channel, as response.yaml names it.")],
) -> None:
    """Send a test through a channel, and say why it cannot be sent."""
    with desk() as at:
        at.response.notices.trial(channel)
    out.print(f"{channel} took it.", markup=False)
