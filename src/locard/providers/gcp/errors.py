# SPDX-License-Identifier: Apache-2.0
"""What Google Cloud answers when it does not do it, as a sentence of what is wrong and to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from google.api_core import exceptions as g
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from locard.evidence.remote import altered, busy, lost, refused
from locard.model.errors import Denied, Error, Missing, Storage


@contextmanager
def sentences(address: str) -> Iterator[None]:
    """Turns the SDK's errors inside the context into those that reach a person."""
    try:
        yield
    except (
        g.GoogleAPIError, auth.GoogleAuthError, requests.RequestException, ConnectionError,
        DataCorruption, InvalidResponse,
    ) as error:  # fmt: skip
        raise told(error, address) from error


def status(error: Exception) -> int:
    """The HTTP status of an answer, or 0."""
    answer = getattr(error, "response", None)
    found = getattr(error, "code", None) or getattr(answer, "status_code", 0)
    return int(found) if isinstance(found, int) else 0


def told(error: Exception, address: str) -> Error:
    """What an error means."""
    code = status(error)
    if isinstance(error, auth.GoogleAuthError) or code == 401:
        return Storage(
            f"{address} does not accept the credentials, or there are none, or they have expired.",
            "Sign in again (`gcloud auth application-default login`), or give the machine a "
            "service account, then run the same command again; what was stored so far is kept.",
        )
    if code == 403:
        return Denied(
            f"{address} refused it.",
            "A retention or a hold stands, or the identity of Locard lacks a permission of "
            "docs/howto/keep-evidence-where-nobody-can-delete-it.md.",
        )
    if code == 404:
        return Missing(f"{address} does not exist.", "Check the name, or make the bucket first.")
    if isinstance(error, DataCorruption):
        return altered(address)
    if isinstance(error, requests.RequestException | ConnectionError | g.RetryError):
        return lost(address)
    if code == 429 or code >= 500:
        return busy(address)
    return refused(f"{address} refused", str(code or type(error).__name__))
