# SPDX-License-Identifier: Apache-2.0
"""`LOCARD_HOME/response.yaml`: which alerts come in how, which cases they join, who is told.

No secret stands in it: it names files that nobody else may read, or variables of the environment.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from locard.cases import document
from locard.cases.document import BadDocument, Section
from locard.model.errors import Error, Missing
from locard.settings import safe_address

FILE = "response.yaml"
ADVICE = "docs/howto/respond-to-alerts.md shows a whole file."
DAY = 86_400
ABOUT = ("alert", "approval", "failed", "done")
"""What channels can be told of by themselves; a playbook tells them what it says itself."""
SHORTEST, LONGEST = 300, 30 * DAY
"""Seconds for which people may be waited for."""
JOINS = {
    "target": "the newest case with an alert that names one of the same resources",
    "account": "the newest case with an alert of the same account",
    "never": "no case: each alert opens its own",
}


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is kept."""

    file: str = ""
    variable: str = ""

    def read(self, home: Path) -> str:
        """The secret. Raises `Error` when it is not there, or when others could read it too."""
        if self.variable:
            found = os.environ.get(self.variable, "").strip()
            if not found:
                raise Missing(f"The variable {self.variable} is not set.", "Set it to the secret.")
            return found
        path = home / self.file
        try:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                raise Error(
                    f"{path} holds a secret and can be read by others.",
                    f"Let nobody but yourself read it: chmod 600 {path}",
                )
            found = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise Missing(
                f"The secret in {path} cannot be read: {why}.",
                "Write it there, or name another file in response.yaml.",
            ) from error
        if not found:
            raise Missing(f"{path} is empty.", "Write the secret into it.")
        return found


@dataclass(frozen=True, slots=True)
class Proof:
    """How messages of a source prove where they come from."""

    secret: Secret
    kind: str = "signature"
    """`signature`: over bytes and time. `token`: the secret itself in a header, for senders that
    cannot sign."""
    header: str = ""
    """Of the token; `Authorization` when left out, with or without `Bearer`."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that is watched for alerts."""

    account: str
    """The name of the account here."""
    address: str


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go."""

    name: str
    kind: str
    """`mail`, `chat` or `syslog`."""
    values: Mapping[str, str | int]
    to: tuple[str, ...] = ()
    secret: Secret | None = None
    """The password of the mail server, or the address of the chat's webhook."""
    about: tuple[str, ...] = ("approval", "failed", "done")


@dataclass(frozen=True, slots=True)
class Responding:
    """All of it; without a file what it says by itself."""

    join: str = "target"
    within_hours: int = 24
    most_per_hour: int = 50
    """How many cases alerts open within an hour; what comes then joins the newest of them."""
    prefix: str = "alert"
    """How the names of cases begin that alerts open."""
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    queues: tuple[Queue, ...] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)
    within: int = DAY
    """Seconds for which runs of playbooks wait for people; then they lapse."""
    remind_after: int = DAY // 2
    """Seconds of waiting after which they remind."""
    page: str = ""
    """Under which address people reach the page, so that notices can lead there."""

    def explained(self) -> str:
        """The rule of cases in a sentence."""
        if self.join == "never":
            return "Each alert opens a case of its own."
        return (
            f"An alert joins {JOINS[self.join]} within the last {self.within_hours} hours; "
            "without one it opens a case."
        )


def load(home: Path, sources: Mapping[str, object]) -> Responding:
    """What the file of this installation says. Raises `BadDocument` that names every fault."""
    path = home / FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Responding()
    except (OSError, UnicodeDecodeError) as error:
        raise Error(f"{path} cannot be read.", "Make it a text file that you may read.") from error
    return read(text, str(path), sources)


def read(text: str, name: str, sources: Mapping[str, object]) -> Responding:
    """What such a file says."""
    root = document.read(text, name, ADVICE)
    root.only(("cases", "sources", "queues", "approvals", "notices", "page"))
    page = root.text("page").rstrip("/")
    if page and not safe_address(page):
        root.fault("page", "page has to begin with https://; plain http is for loopback only")
    cases = root.section("cases")
    join, hours, most, prefix = "target", 24, 50, "alert"
    if cases is not None:
        cases.only(("join", "within_hours", "most_per_hour", "prefix"))
        most = cases.number("most_per_hour", 50, 1, 10_000)
        join = cases.choice("join", tuple(JOINS), "target")
        hours = cases.number("within_hours", 24, 1, 24 * 366)
        prefix = cases.text("prefix", "alert")
        if not prefix.replace("-", "").isalnum() or prefix != prefix.lower() or len(prefix) > 30:
            cases.fault("prefix", "has to be a few lower-case letters, digits and dashes")
    approvals = root.section("approvals")
    within, remind_after = DAY, DAY // 2
    if approvals is not None:
        approvals.only(("within", "remind_after"))
        within, remind_after = patience(approvals, DAY)
    made = Responding(
        join, hours, most, prefix, _proofs(root, sources), _queues(root), _channels(root),
        within, remind_after, page,
    )  # fmt: skip
    if root.faults:
        raise BadDocument(name, root.faults, ADVICE)
    return made


def _proofs(root: Section, sources: Mapping[str, object]) -> dict[str, Proof]:
    found: dict[str, Proof] = {}
    below = root.section("sources")
    if below is None:
        return found
    below.only(tuple(sources))
    for name in below:
        one = below.section(name)
        if one is None:
            continue
        one.only(("secret", "proof", "header"), ("secret",))
        kind = one.choice("proof", ("signature", "token"), "signature")
        secret = _secret(one, "secret")
        if secret is not None:
            found[name] = Proof(secret, kind, one.text("header"))
    return found


def _secret(section: Section, name: str) -> Secret | None:
    below = section.section(name)
    if below is None:
        return None
    below.only(("file", "environment"))
    file, variable = below.text("file"), below.text("environment")
    if bool(file) == bool(variable):
        section.fault(name, "has to name either a file or a variable: {file: keys/wiz.key}")
        return None
    return Secret(file, variable)


def _queues(root: Section) -> tuple[Queue, ...]:
    found = []
    for one in root.sections("queues"):
        one.only(("account", "address"), ("account", "address"))
        address = one.text("address")
        if address and not safe_address(address):
            one.fault("address", "has to begin with https://; plain http is for loopback only")
        found.append(Queue(one.text("account"), address))
    return tuple(found)


def patience(section: Section, otherwise: int) -> tuple[int, int]:
    """For how long people are waited for, and when they are reminded: half-way if not said."""
    within = section.span("within", otherwise, SHORTEST, LONGEST)
    after = section.span("remind_after", within // 2, 60, LONGEST)
    if within and after >= within:
        section.fault(section.node, "remind_after has to be less than within, when it lapses")
    return within, after


_CHANNEL = {
    "mail": ("server", "port", "security", "user", "password", "from", "to"),
    "chat": ("address",),
    "syslog": ("server", "port", "transport"),
}


def _channels(root: Section) -> dict[str, Channel]:
    below, found = root.section("notices"), {}
    for name in below or ():
        one = below.section(name) if below is not None else None
        if one is None:
            continue
        if "kind" not in one:
            one.fault(one.node, f"notices.{name}: 'kind' is missing; it is mail, chat or syslog")
            continue
        kind = one.choice("kind", tuple(_CHANNEL), "syslog")
        one.only(("kind", "about", *_CHANNEL[kind]), _needed(kind))
        about = one.value("about", (list,), ["approval", "failed", "done"])
        for word in about:
            if word not in ABOUT:
                one.fault("about", f"{word!r} is none of {', '.join(ABOUT)}")
        values, to, secret = _values(one, kind)
        found[name] = Channel(name, kind, values, to, secret, tuple(map(str, about)))
    return found


def _needed(kind: str) -> tuple[str, ...]:
    return {"mail": ("server", "from", "to"), "chat": ("address",), "syslog": ("server",)}[kind]


def _values(one: Section, kind: str) -> tuple[dict[str, str | int], tuple[str, ...], Secret | None]:
    """What a channel of this kind needs to know."""
    if kind == "chat":
        return {}, (), _secret(one, "address")
    values: dict[str, str | int] = {"server": one.text("server")}
    if kind == "syslog":
        values["port"] = one.number("port", 514, 1, 65_535)
        values["transport"] = one.choice("transport", ("udp", "tcp", "tls"), "udp")
        return values, (), None
    values["security"] = one.choice("security", ("starttls", "tls", "none"), "starttls")
    usual = {"starttls": 587, "tls": 465, "none": 25}[str(values["security"])]
    values["port"] = one.number("port", usual, 1, 65_535)
    values["user"], values["from"] = one.text("user"), one.text("from")
    to = one.value("to", (list, str), [])
    to = tuple(to if isinstance(to, list) else [to])
    for address in (*to, values["from"]):
        if address and ("@" not in str(address) or any(c in str(address) for c in "\r\n,")):
            one.fault(one.node, f"{str(address)[:80]!r} is no address of mail")
    secret = _secret(one, "password") if "password" in one else None
    if secret is not None and values["security"] == "none":
        one.fault("password", "would go over the network in the clear; use starttls or tls")
    return values, tuple(map(str, to)), secret
