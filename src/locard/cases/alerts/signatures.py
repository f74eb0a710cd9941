# SPDX-License-Identifier: Apache-2.0
"""Whether a message comes from whom it says: a signature over its bytes and their time.

Ours, for senders whose vendor has none: `Locard-Timestamp` with the seconds since 1970, and
`Locard-Signature` with `v1=` and the hex HMAC-SHA256 of the timestamp, a dot and the bytes.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from locard.model.errors import Error, SignInNeeded
from locard.parsers.times import NotATime, any_time

WINDOW = 300
"""Seconds that the time of a message may be off: what is older could be a replay."""
SHORTEST = 16
"""Characters of a secret that signs."""
OURS = {
    "header": "Locard-Signature",
    "prefix": "v1=",
    "encoding": "hex",
    "timestamp": "Locard-Timestamp",
    "signs": "{timestamp}.{body}",
}


class Unproved(SignInNeeded):
    """A message that does not prove where it comes from."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice or "Check the secret on both sides, and both clocks.")


def sign(secret: str, body: bytes, timestamp: str, scheme: Mapping[str, str] = OURS) -> str:
    """The value of the signature's header."""
    before, _, after = scheme["signs"].partition("{body}")
    signed = (
        before.replace("{timestamp}", timestamp).encode()
        + body
        + after.replace("{timestamp}", timestamp).encode()
    )
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    encoded = digest.hex() if scheme["encoding"] == "hex" else base64.b64encode(digest).decode()
    return scheme.get("prefix", "") + encoded


def check(
    secret: str, body: bytes, headers: Mapping[str, str], scheme: Mapping[str, str], now: int
) -> str:
    """The signature that proves the message. Raises `Unproved`."""
    _long_enough(secret)
    given = _header(headers, scheme["header"])
    timestamp = _header(headers, scheme["timestamp"])
    if not given or not timestamp:
        raise Unproved(
            f"The message is not signed: it needs {scheme['header']} and {scheme['timestamp']}."
        )
    wanted = sign(secret, body, timestamp, scheme)
    if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise Unproved("The signature of the message does not fit.")
    try:
        off = abs(any_time(timestamp) - now) / 1e9
    except NotATime:
        raise Unproved(f"{scheme['timestamp']} is no time.") from None
    if off > WINDOW:
        raise Unproved(f"The message was signed {off:,.0f} s from now, and {WINDOW} s are allowed.")
    return given


def check_token(secret: str, headers: Mapping[str, str], header: str) -> None:
    """Raise `Unproved` when the header does not hold the secret."""
    _long_enough(secret)
    given = _header(headers, header or "Authorization")
    given = given.removeprefix("Bearer ").strip()
    if not hmac.compare_digest(secret.encode(), given.encode("utf-8", "replace")):
        raise Unproved(f"The header {header or 'Authorization'} does not hold the secret.")


def _long_enough(secret: str) -> None:
    if len(secret) < SHORTEST:
        raise Error(
            f"The secret of this source has {len(secret)} characters, and needs {SHORTEST}.",
            "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )


def _header(headers: Mapping[str, str], name: str) -> str:
    wanted = name.lower()
    return next((text for one, text in headers.items() if one.lower() == wanted), "").strip()
