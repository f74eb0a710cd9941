# SPDX-License-Identifier: Apache-2.0
"""How a notice gets out: mail by SMTP, chat by a webhook as Slack has them, syslog with CEF.

Errors never name a secret: the address of a chat's webhook is one.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

import httpx2

from locard import __version__
from locard.cases.notices.messages import Message
from locard.cases.response.settings import Channel
from locard.model.alert import Severity
from locard.model.errors import Error, Storage
from locard.settings import safe_address

SECONDS = 10
LONGEST_UDP = 2_000
"""Bytes of a datagram that every receiver takes."""
_PRIORITY = {"informational": 6, "low": 5, "medium": 4, "high": 3, "critical": 2}
"""Severities of syslog."""
_CEF = {"informational": 1, "low": 3, "medium": 5, "high": 8, "critical": 10}
FACILITY = 13
"""Log audit."""


def send(channel: Channel, message: Message, home: Path) -> None:
    """Send a message through a channel. Raises `Error` that says why it could not be."""
    sender: Callable[[Channel, Message, Path], None] = {
        "mail": _mail, "chat": _chat, "syslog": _syslog,
    }[channel.kind]  # fmt: skip
    try:
        sender(channel, message, home)
    except smtplib.SMTPResponseException as error:
        raise Storage(
            f"The mail server {channel.values['server']} refused it: {error.smtp_code}.",
            "Check user, password, sender and receivers.",
        ) from error
    except (smtplib.SMTPException, ssl.SSLError) as error:
        raise Storage(
            f"{channel.values.get('server', 'The webhook')} does not do what is asked of it: "
            f"{type(error).__name__}.",
            "Check its port and the security that it offers.",
        ) from error
    except OSError as error:
        where = channel.values.get("server", "The webhook")
        raise Storage(
            f"{where} cannot be reached: {error.strerror or type(error).__name__}.",
            "Check its name and port, and the network.",
        ) from error


def _mail(channel: Channel, message: Message, home: Path) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = f"Locard: {message.subject}", str(channel.values["from"])
    mail["To"], mail["Date"] = ", ".join(channel.to), formatdate()
    mail["Message-ID"] = make_msgid(domain="locard")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.lines() + "\n")
    server, port = str(channel.values["server"]), int(channel.values["port"])
    context = ssl.create_default_context()
    if channel.values["security"] == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(server, port, timeout=SECONDS, context=context)
    else:
        client = smtplib.SMTP(server, port, timeout=SECONDS)
    with client:
        if channel.values["security"] == "starttls":
            client.starttls(context=context)
        if channel.secret is not None:
            client.login(str(channel.values["user"]), channel.secret.read(home))
        client.send_message(mail)


def _chat(channel: Channel, message: Message, home: Path) -> None:
    assert channel.secret is not None
    address = channel.secret.read(home)
    if not safe_address(address):
        raise Error("The webhook's address does not begin with https://.", "Check its file.")
    lines = f"*{_slack(message.subject)}*\n```{_slack(message.lines())}```"
    try:
        answer = httpx2.post(address, json={"text": lines}, timeout=SECONDS, follow_redirects=False)
    except httpx2.HTTPError as error:
        raise Storage(
            f"The webhook cannot be reached: {type(error).__name__}.", "Check its address."
        ) from None
    except (httpx2.InvalidURL, ValueError):
        raise Error("The webhook's address is none.", "Check its file.") from None
    if answer.status_code >= 300:
        raise Storage(f"The webhook answered {answer.status_code}.", "Check that it still exists.")


def _slack(text: str) -> str:
    for letter, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("`", "'")):
        text = text.replace(letter, written)
    return text


def _syslog(channel: Channel, message: Message, home: Path) -> None:
    line = syslog_line(message).encode()
    server, port = str(channel.values["server"]), int(channel.values["port"])
    if channel.values["transport"] == "udp":
        family, _, _, _, address = socket.getaddrinfo(server, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.sendto(line[:LONGEST_UDP], address)
        return
    with socket.create_connection((server, port), SECONDS) as client:
        if channel.values["transport"] == "tls":
            context = ssl.create_default_context()
            with context.wrap_socket(client, server_hostname=server) as secured:
                secured.sendall(f"{len(line)} ".encode() + line)
            return
        client.sendall(line + b"\n")


def syslog_line(message: Message) -> str:
    """The message as RFC 5424 with the Common Event Format inside, in one line."""
    priority = FACILITY * 8 + _PRIORITY[message.severity.value]
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    host = re.sub(r"[^!-~]", "-", socket.gethostname())[:255] or "-"
    return f"<{priority}>1 {at} {host} locard - {message.about} - {cef(message)}"


def cef(message: Message) -> str:
    """The message in the Common Event Format; names of the extension as CEF has them."""
    named = {
        "msg": message.facts.get("says") or message.facts.get("why", ""),
        "externalId": message.alert,
        "request": message.facts.get("open", ""),
        "cs1Label": "case", "cs1": message.case,
        "cs2Label": "playbook", "cs2": message.facts.get("playbook", ""),
        "cs3Label": "run", "cs3": message.run,
        "cs4Label": "resources", "cs4": message.facts.get("resources", ""),
        "cs5Label": "account", "cs5": message.facts.get("account", ""),
    }  # fmt: skip
    kept = [f"{name}={_extension(text)}" for name, text in named.items()
            if text and not (name.endswith("Label") and not named[name[:3]])]  # fmt: skip
    head = "|".join(
        _header(one) for one in ("Locard", "Locard", __version__, message.about, message.subject)
    )
    return f"CEF:0|{head}|{_CEF[Severity(message.severity).value]}|{' '.join(kept)}"


def _header(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _extension(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n").replace("\r", "")
