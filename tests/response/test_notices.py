# SPDX-License-Identifier: Apache-2.0
"""Notices over real sockets: mail, webhook, syslog; what fails is recorded and no more."""

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from locard.cases.notices import channels
from locard.cases.notices.messages import Message
from locard.model.alert import Severity
from locard.model.errors import Error
from locard.model.playbook import PlaybookState
from tests.response.automation import BOOK, Bench, bench
from tests.response.conftest import ANA, BEN
from tests.response.test_playbooks import go
from tests.servers.running import free_ports

MESSAGE = Message(
    "approval", "Approval needed: a|b=c", {"says": "two\\=1", "playbook": "dark"},
    Severity.HIGH, "case-1", "a-1", "p-1",
)  # fmt: skip


@pytest.fixture
def at(home: Path, room: Path) -> Bench:
    return bench(home, room)


class Kept:
    """A mailbox."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        if any("refused" in one for one in envelope.rcpt_tos):
            return "554 no"
        self.mails.append(envelope)
        return "250 OK"


@contextmanager
def mail_server(**given: Any) -> Iterator[tuple[Kept, int]]:
    """A real SMTP server on loopback."""
    kept, (port,) = Kept(), free_ports(1)
    server = Controller(kept, hostname="127.0.0.1", port=port, **given)
    server.start()
    try:
        yield kept, port
    finally:
        server.stop()


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[list[tuple[str, bytes]], str]]:
    """A webhook on loopback, and what it was sent."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield got, f"http://127.0.0.1:{server.server_port}/services/T0/B0/secretpart"
    finally:
        server.shutdown()
        server.server_close()


def secret(home: Path, name: str, text: str) -> None:
    path = home / "keys" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


def test_all_channels_are_told_of_a_run_and_a_failing_one_stops_nothing(at: Bench) -> None:
    with (
        mail_server() as (box, smtp),
        webhook() as (posted, address),
        socket.create_server(("127.0.0.1", 0)) as siem,
    ):
        secret(at.home, "chat.url", address)
        (at.home / "response.yaml").write_text(f"""
page: https://locard.example.com/
notices:
  oncall: {{kind: mail, server: 127.0.0.1, port: {smtp}, security: none, from: locard@example.com,
           to: [oncall@example.com, boss@example.com], about: [alert, approval, failed, done]}}
  soc: {{kind: chat, address: {{file: keys/chat.url}}}}
  siem: {{kind: syslog, server: 127.0.0.1, port: {siem.getsockname()[1]}, transport: tcp,
         about: [approval]}}
  dead: {{kind: syslog, server: 127.0.0.1, port: {free_ports(1)[0]}, transport: tcp}}
""")
        at.on(ask="before-containing")
        alert = at.take(words="evil\r\nBcc: everybody@example.com <script>")
        run = go(at)
        assert run.state is PlaybookState.WAITING
        at.playbooks.approve(run.id, BEN, "yes", run.plan)
        assert at.playbooks.carry_on(run.id).state is PlaybookState.DONE

        subjects = [one.content.decode().splitlines() for one in box.mails]
        assert all(set(one.rcpt_tos) == {"oncall@example.com", "boss@example.com"}
                   for one in box.mails)  # fmt: skip
        assert not any(line.startswith("Bcc") for lines in subjects for line in lines)
        whole = [
            f"{mail['Subject']}\n{mail.get_content()}"
            for mail in (message_from_bytes(one.content, policy=default) for one in box.mails)
        ]
        assert ["Approval needed" in text for text in whole].count(True) == 1
        assert any(f"locard runs approve {run.id}" in text for text in whole)
        assert any("It is dark now." in text for text in whole)
        texts = [json.loads(body)["text"] for _, body in posted]
        assert len(texts) == 3 and all("<script>" not in text for text in texts)
        assert "&lt;script&gt;" in texts[0]

        connection, _ = siem.accept()
        with connection, connection.makefile() as lines:
            line = lines.readline()
        assert line.startswith("<107>1 ") and " locard - approval - CEF:0|Locard|Locard|" in line
        link = f"https://locard.example.com/respond?view=alerts&alert={alert.id}"
        assert all(link in text for text in whole)
        assert f"request={link.replace('=', chr(92) + '=')}" in line
        assert "cs2Label=playbook cs2=dark" in line and f"externalId={alert.id}" in line

        failures = [one for one in at.notices.every(alert.case) if not one.sent]
        assert {one.channel for one in failures} == {"dead"}
        assert all("cannot be reached" in one.error for one in failures)
        assert all("secretpart" not in str(one) for one in at.notices.every())


def test_a_channel_that_is_not_there_is_recorded(at: Bench) -> None:
    at.write("dark", BOOK.format(ask="never", most=5).replace("notify: all", "notify: pager"))
    at.shelf.enable("dark", ANA)
    at.take()
    assert go(at).state is PlaybookState.DONE
    (notice,) = at.notices.every()
    assert not notice.sent and "There is no channel 'pager'; there are: none." in notice.error


def test_what_a_playbook_says_of_what_was_not_done_is_taken_back(at: Bench) -> None:
    with webhook(200) as (posted, address):
        secret(at.home, "chat.url", address)
        (at.home / "response.yaml").write_text(
            "notices: {soc: {kind: chat, address: {file: keys/chat.url}}}\n"
        )
        at.on(most=1)
        at.take(lamps=["one", "two"])
        assert go(at).state is PlaybookState.FAILED
    texts = [json.loads(body)["text"] for _, body in posted]
    (text,) = [one for one in texts if "It is dark now." in one]
    assert "Not all done: " in text
    assert "Not all of it was done (see below), so this may not hold: It is dark now." in text
    assert "isolate.toy.lamp two: dark has isolated 1 targets within an hour" in text


def test_faults_in_the_settings_stop_no_run(at: Bench) -> None:
    at.on()
    at.take()
    (run,) = at.playbooks.judge()
    (at.home / "response.yaml").write_text("notices: [")
    assert at.playbooks.carry_on(run).state is PlaybookState.DONE


def test_a_webhook_that_refuses_or_redirects_is_a_failure_without_its_address(at: Bench) -> None:
    for status in (302, 404, 500):
        with webhook(status) as (posted, address):
            secret(at.home, "chat.url", address)
            (at.home / "response.yaml").write_text(
                "notices: {soc: {kind: chat, address: {file: keys/chat.url}}}\n"
            )
            with pytest.raises(Error, match=f"answered {status}") as failed:
                at.notices.trial("soc")
            assert len(posted) == 1 and "secretpart" not in str(failed.value.advice)
    with pytest.raises(Error, match="cannot be reached"):
        at.notices.trial("soc")
    secret(at.home, "chat.url", "http://example.com/services/secretpart")
    with pytest.raises(Error, match="does not begin with https"):
        at.notices.trial("soc")
    with pytest.raises(Error, match="no channel called 'sock'"):
        at.notices.trial("sock")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key),
         "-out", str(cert), "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def test_a_password_goes_over_tls_that_is_checked(
    at: Bench, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def known(_server: object, _session: object, _envelope: object, _how: str, data: Any) -> Any:
        assert isinstance(data, LoginPassword)
        good = data == LoginPassword(b"locard", b"open sesame")
        return AuthResult(success=good, handled=False)

    with mail_server(tls_context=context, require_starttls=True, authenticator=known,
                     auth_required=True) as (box, port):  # fmt: skip
        secret(at.home, "mail.key", "open sesame")
        (at.home / "response.yaml").write_text(
            f"notices: {{oncall: {{kind: mail, server: 127.0.0.1, port: {port}, user: locard, "
            "password: {file: keys/mail.key}, from: locard@example.com, to: a@example.com}}\n"
        )
        with pytest.raises(Error, match="does not do what is asked of it: SSLCert"):
            at.notices.trial("oncall")
        assert box.mails == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        at.notices.trial("oncall")
        assert len(box.mails) == 1
        secret(at.home, "mail.key", "wrong password")
        with pytest.raises(Error, match="refused it: 535") as failed:
            at.notices.trial("oncall")
        assert "wrong password" not in f"{failed.value} {failed.value.advice}"


def test_a_mail_server_that_refuses_or_has_no_tls_says_so(at: Bench) -> None:
    with mail_server() as (_, port):
        for security, to, said in (
            ("none", "refused@example.com", "refused it: 554"),
            ("starttls", "a@example.com", "SMTPNotSupportedError"),
        ):
            (at.home / "response.yaml").write_text(
                f"notices: {{oncall: {{kind: mail, server: 127.0.0.1, port: {port}, "
                f"security: {security}, from: locard@example.com, to: {to}}}}}\n"
            )
            with pytest.raises(Error, match=said):
                at.notices.trial("oncall")


def test_cef_escapes_what_others_wrote() -> None:
    line = channels.cef(MESSAGE)
    assert "|approval|Approval needed: a\\|b=c|8|" in line
    assert "msg=two\\\\\\=1 " in line and "cs1Label=case cs1=case-1" in line
    assert "cs5Label" not in line


def test_syslog_by_udp_is_one_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(60)
        from locard.cases.response.settings import Channel

        values = {"server": "127.0.0.1", "port": heard.getsockname()[1], "transport": "udp"}
        long = Message("alert", "x" * 3_000, {}, Severity.LOW)
        channels.send(Channel("siem", "syslog", values), long, Path())
        assert len(heard.recv(9_000)) == channels.LONGEST_UDP


def test_a_storm_of_alerts_does_not_wait_for_a_dead_channel_each_time(at: Bench) -> None:
    with webhook(500) as (posted, address):
        secret(at.home, "chat.url", address)
        (at.home / "response.yaml").write_text(
            "notices: {soc: {kind: chat, address: {file: keys/chat.url}, about: [alert, done]}}\n"
        )
        at.on()
        for number in range(5):
            at.take(number=str(number), lamps=[])
        at.playbooks.judge()
        assert len(posted) == 1
        told = at.notices.every()
        assert len(told) == 5 and all(not one.sent and one.error for one in told)
        at.take(number="6")
        go(at)
        assert len(posted) == 3  # what a playbook says, and that it is done, are tried all the same
