# SPDX-License-Identifier: Apache-2.0
"""The errors that reach a person: one sentence of what is wrong, one of what to do.

The command line prints `message` and `advice` and exits with `exit_status`; the API answers them
as an RFC 9457 problem with `http_status`. Anything that is not an `Error` is a defect of ours.
"""

from typing import ClassVar


class Error(Exception):
    """Something a person can understand and act on."""

    exit_status: ClassVar[int] = 2
    http_status: ClassVar[int] = 400

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class Missing(Error):
    """What was named does not exist."""

    http_status = 404


class Conflict(Error):
    """The request contradicts what is there."""

    http_status = 409


class Denied(Error):
    """The person may not do this."""

    http_status = 403


class Busy(Error):
    """A provider asks for patience, and was given all that we have."""

    http_status = 503


class SignInNeeded(Error):
    """Nobody is signed in, or what was shown does not let anybody in."""

    http_status = 401


class CodeNeeded(SignInNeeded):
    """What was shown is right, but this person is asked for a code of their second factor too."""

    def __init__(self) -> None:
        super().__init__(
            "A code is needed too.",
            "Open your authenticator app and type in its six digits, or use a recovery code.",
        )


class Unreadable(Error):
    """Bytes that are not what they claim to be: truncated, damaged, or hostile."""

    http_status = 422


class Tampered(Error):
    """Evidence, ledger or row is not what it was when it was recorded."""

    exit_status = 1
    http_status = 409


class Storage(Error):
    """The disk is full or read-only, or the store does not answer."""

    http_status = 507


class BadQuery(Error):
    """A query that cannot be understood, with the place of the mistake.

    `position` counts characters from 0; `length` is how many are wrong (at least 1);
    `suggestion` is the query's word as it was probably meant, or empty.
    """

    def __init__(
        self, message: str, position: int = 0, length: int = 1, suggestion: str = ""
    ) -> None:
        super().__init__(message, f"Did you mean {suggestion}?" if suggestion else "")
        self.position = position
        self.length = length
        self.suggestion = suggestion
