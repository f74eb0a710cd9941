# SPDX-License-Identifier: Apache-2.0
"""`locard serve`: the page on loopback, with a one-time sign-in link."""

import errno
import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cli.stopping import held
from locard.cli.terminal import desk, hand, out
from locard.model.access import Role
from locard.model.errors import Conflict, Error

if TYPE_CHECKING:
    from locard.cases.desk import Desk

PORT = 8321
ADMINISTRATOR = "admin"

LAST = 65_535
Port = Annotated[
    int,
    typer.Option(min=0, max=LAST, help="Port on loopback; the next free one when it is taken."),
]
SERVE = """Examples:

    locard serve

    locard serve --name forensics.example.com --behind 127.0.0.1

The second is for a proxy on this machine that speaks TLS and forwards to the printed port: cookies
are then for TLS alone, and the proxy is believed when it says whose request it forwards.
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=SERVE)(serve)


def serve(
    port: Port = PORT,
    bind: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(help="Further host names under which it is reached.")
    ] = None,
    behind: Annotated[
        list[str] | None,
        typer.Option(help="Address or network of a proxy before it that speaks TLS."),
    ] = None,
) -> None:
    """Serve the page and the API, and print a link that signs you in once."""
    proxies = [_proxy(one) for one in behind or []]
    if proxies and not name:
        raise Error(
            "Behind a proxy it is reached under a name that this machine cannot know.",
            "Say it: --name forensics.example.com.",
        )
    with desk() as at:
        serve_on(at, bind, port, name or [], "", proxies)


def _proxy(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise Error(
            f"{text[:80]!r} is no address of a proxy.",
            "Write an address or a network, such as 127.0.0.1 or 10.0.3.0/28: whoever is there may "
            "say whose request they forward.",
        ) from None


def serve_on(
    at: "Desk",
    bind: str,
    port: int,
    names: list[str],
    page: str,
    behind: Sequence[str] = (),
    ready: Callable[[str], None] = lambda _address: None,
) -> None:
    """Serve until a signal. `ready` is told the address once requests at it wait to be answered."""
    with held() as check:
        listener = _listen(bind, port)
        taken = listener.getsockname()[1]
        link = at.people.make_link(_administrator(at), by=hand())
        for case in at.cases():
            at.resume(case.name, who=hand())
        at.response.resume_stopped(hand())
        shown_as = f"[{bind}]" if ":" in bind else bind
        address = f"http://{shown_as}:{taken}"
        out.print(f"Locard serves on {address}")
        if behind:
            address = f"https://{names[0]}"
        out.print(f"Sign in once with: {address}/sign-in{f'?next={page}' if page else ''}#{link}")
        out.print("Stop it with Ctrl-C.")
        at.checkpoints.begin()
        at.response.attending.begin()
        Thread(target=_ready, args=[at], daemon=True).start()
        # Imported here, since it takes a third of the time that every other command needs to begin.
        from locard.api.app import create
        from locard.api.guard import LOOPBACK
        from locard.api.serve import server

        app = create(at, at.state, hosts=[*LOOPBACK, *names], secure=bool(behind))
        check()
        ready(f"http://{shown_as}:{taken}")
        server(app, behind).run(sockets=[listener])


def _ready(at: "Desk") -> None:
    """Start the timeline store before somebody asks, who would wait for it, and have read again
    what it has lost.

    What goes wrong is told to whoever asks first.
    """
    with suppress(Error):
        at.timeline.ping()
        at.restore(who=hand())


def _administrator(at: "Desk") -> str:
    """Somebody who administers all cases; made when there is nobody who does."""
    from locard.state import grants, users

    with at.state.session() as session:
        found = grants.administrators(session)
        known = users.known(session, ADMINISTRATOR)
    if found:
        return found[0]
    by = hand()
    if known is None:
        at.people.add_user(ADMINISTRATOR, name="Administrator", role=Role.ADMINISTRATOR, by=by)
        return ADMINISTRATOR
    if known.disabled:
        at.people.change_user(ADMINISTRATOR, disabled=False, by=by)
    at.people.grant(
        Role.ADMINISTRATOR, user=ADMINISTRATOR, reason="nobody administered all cases", by=by
    )
    return ADMINISTRATOR


def _listen(bind: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    for candidate in (port, *range(port + 1, min(port + 20, LAST + 1)), 0):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((bind, candidate))
            # From here on a browser that follows the printed link waits, and is not refused.
            listener.listen(128)
        except OSError as error:
            listener.close()
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise Error(
                    f"{bind[:80]!r} is no address of this machine.",
                    "Leave --bind out to serve on loopback, or name one of its own addresses.",
                ) from error
            continue
        return listener
    raise Conflict(f"No port from {port} on is free on {bind}.", "Choose another with --port.")
