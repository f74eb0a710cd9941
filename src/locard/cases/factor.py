# SPDX-License-Identifier: Apache-2.0
"""The second factor of a person: making one, showing it as a QR code, and judging codes.

The secret lies in the state sealed with a key that lies elsewhere (`keys/factor.key`), so that a
copy of the state file makes no codes.
"""

import os
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.orm import Session

from locard.model.errors import Conflict, Error, Storage
from locard.state import factors

STEP = 30
"""Seconds for which a code holds."""
DRIFT = 1
"""Steps that the clocks may be apart, either way."""
RECOVERY_CODES = 10
_RECOVERY = re.compile(r"[a-z2-7]{5}-?[a-z2-7]{5}-?[a-z2-7]{6}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A secret that was made for a person and is not asked for yet."""

    secret: str
    address: str
    """The `otpauth:` address that authenticator apps read."""

    def svg(self) -> str:
        """The address as a QR code, black on white, to be shown in a page."""
        drawn = BytesIO()
        segno.make(self.address, error="m").save(
            drawn, kind="svg", border=3, dark="#000", light="#fff", omitsize=True, xmldecl=False
        )
        return drawn.getvalue().decode()


class SecondFactor:
    """The second factors of one installation."""

    def __init__(self, keys: Path) -> None:
        self._file = keys / "factor.key"

    def propose(self, session: Session, username: str) -> Proposed:
        """Make a secret for this person. Raises `Conflict` when one is asked for already."""
        held = factors.of(session, username)
        if held is not None and held.confirmed:
            raise Conflict(
                f"{username} has a second factor already.", "Turn it off first to make a new one."
            )
        secret = pyotp.random_base32()
        factors.propose(session, username, self._box().encrypt(secret.encode()).decode())
        totp = pyotp.TOTP(secret, interval=STEP)
        return Proposed(secret, totp.provisioning_uri(name=username, issuer_name="Locard"))

    def confirm(self, session: Session, username: str, code: str | None) -> list[str]:
        """Ask this person for codes from now on; the recovery codes, which are shown once.

        Raises `Error` when the code is not the one of now; None says that none need be shown.
        """
        held = factors.of(session, username)
        if held is None or held.confirmed:
            raise Conflict("There is no second factor to confirm.", "Begin anew.")
        if code is not None and not self._right(session, username, held, code):
            raise Error(
                "This is not the code of now.",
                "Check the clock of your phone, then type in the code that it shows next.",
            )
        recovery = [_recovery_code() for _ in range(RECOVERY_CODES)]
        factors.confirm(session, username, [_plain(one) for one in recovery])
        return recovery

    def asked(self, session: Session, username: str) -> bool:
        """Whether this person is asked for a code."""
        held = factors.of(session, username)
        return held is not None and held.confirmed

    def judge(self, session: Session, username: str, code: str) -> str:
        """What the code was, `code` or `recovery code`; empty when it lets nobody in.

        A code is accepted once, and so is a recovery code.
        """
        held = factors.of(session, username)
        if held is None or not held.confirmed:
            return ""
        if _RECOVERY.fullmatch(code.strip().lower()):
            return "recovery code" if factors.take_recovery(session, username, _plain(code)) else ""
        return "code" if self._right(session, username, held, code) else ""

    def _right(self, session: Session, username: str, held: factors.Factor, code: str) -> bool:
        digits = re.sub(r"\s", "", code)
        if not re.fullmatch(r"[0-9]{6}", digits):
            return False
        totp = pyotp.TOTP(self._opened(held.sealed), interval=STEP)
        now = int(time.time()) // STEP
        for step in range(now - DRIFT, now + DRIFT + 1):
            if pyotp.utils.strings_equal(totp.at(step * STEP), digits):
                return factors.take_step(session, username, step)
        return False

    def _opened(self, sealed: str) -> str:
        try:
            return self._box().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise Storage(
                f"The second factors were sealed with another key than {self._file}.",
                "Bring that file back, or turn them off: locard user totp NAME --off",
            ) from error

    def _box(self) -> Fernet:
        """The key, made when there is none. Two processes that make one agree on the first."""
        try:
            if not self._file.exists():
                self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                made = self._file.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
                handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(Fernet.generate_key())
                    file.flush()
                    os.fsync(file.fileno())
                with suppress(FileExistsError):
                    os.link(made, self._file)
                made.unlink()
            return Fernet(self._file.read_bytes())
        except (OSError, ValueError) as error:
            raise Storage(
                f"The key {self._file} cannot be used.", "It must be a file that only you may read."
            ) from error


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(16))
    return f"{letters[:5]}-{letters[5:10]}-{letters[10:]}"


def _plain(code: str) -> str:
    return code.strip().lower().replace("-", "")
