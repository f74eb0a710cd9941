# SPDX-License-Identifier: Apache-2.0
"""A response rehearsed: an account is let in, a playbook is on, and an alert knocks at the door.

Everything goes the way that it goes in earnest; only the account behind it is simulated.
"""

import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from locard.cases.alerts import signatures
from locard.cases.demo.cloud.account import REGION, ROLE
from locard.cases.desk import Desk
from locard.model.custody import Hand
from locard.model.errors import Error
from locard.state import sessions
from locard.state.accounts import Account
from locard.state.investigations import CaseRow

SOURCE = "aws.guardduty"
PLAYBOOK = "isolate-compromised-instance"
NAME = "simulated"
SECRET = Path("keys") / "guardduty.key"
LOOK, PAUSE = 0.5, 3.0
"""Seconds between two looks whether somebody signed in, and until the alert comes then."""
CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "SIMULATED",
    "AWS_SECRET_ACCESS_KEY": "SIMULATED",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""What is shown to the simulated account, so that no credentials of anybody are."""


def disguise() -> None:
    """Show the simulated credentials from here on, in the processes that are begun here too."""
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(CREDENTIALS)


def prepare(desk: Desk, endpoint: str, *, who: Hand) -> str:
    """Let Locard into the account, switch the playbook on; the secret that signs alerts."""
    wanted = Account(NAME, "aws", "", ROLE, "", (REGION,), endpoint=endpoint)
    desk.response.accounts.add(wanted, who=who)
    secret = secrets.token_urlsafe(32)
    path = desk.settings.home / SECRET
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
    text = f"sources:\n  {SOURCE}: {{secret: {{file: {SECRET.as_posix()}}}}}\n"
    (desk.settings.home / "response.yaml").write_text(text)
    desk.response.shelf.enable(PLAYBOOK, who)
    return secret


def send(address: str, secret: str, body: bytes) -> None:
    """Send an alert to a server as a detector does. Raises `Error` when it is not taken."""
    now = f"{time.time():.0f}"
    headers = {
        "content-type": "application/json",
        signatures.OURS["timestamp"]: now,
        signatures.OURS["header"]: signatures.sign(secret, body, now),
        "user-agent": "simulated-guardduty",
    }
    url = f"{address}/api/alerts/in/{SOURCE}"
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own server
            answer.read()
    except (OSError, urllib.error.URLError) as error:
        raise Error(f"The alert was not taken: {error}", "Look into the log above.") from error


def send_when_somebody_looks(desk: Desk, address: str, secret: str, alert: bytes) -> None:
    """Send the alert once somebody has signed in, so that they see all of it happen."""
    while True:
        with desk.state.session() as session:
            if sessions.anybody(session):
                break
        time.sleep(LOOK)
    time.sleep(PAUSE)
    send(address, secret, alert)
    with desk.state.session() as session:
        for one in desk.response.alerts.every(limit=None):
            session.get_one(CaseRow, one.case).simulated = True
