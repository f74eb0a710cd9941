# SPDX-License-Identifier: Apache-2.0
"""What Azure answers when it does not do it, as a sentence of what is wrong and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core import exceptions as a

from locard.evidence.remote import altered, busy, lost, refused
from locard.model.errors import Denied, Error, Missing, Storage

_EXPIRED = {"ExpiredAuthenticationToken", "InvalidAuthenticationInfo"}
_ALTERED = {"Md5Mismatch", "Crc64Mismatch", "InvalidMd5"}
_LOCKED = {
    "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold",
    "ImmutabilityPolicyDeleteOnLockedPolicy",
}  # fmt: skip
_BUSY = {"ServerBusy", "InternalError", "OperationTimedOut"}


@contextmanager
def sentences(address: str) -> Iterator[None]:
    """Turns the SDK's errors inside the context into those that reach a person."""
    try:
        yield
    except a.AzureError as error:
        raise told(error, address) from error


def code(error: a.AzureError) -> str:
    """The service's word for what is wrong."""
    word = getattr(error, "error_code", None) or ""
    return str(getattr(word, "value", word))  # an enumeration's text would be its own name


def told(error: a.AzureError, address: str) -> Error:
    """What an error means."""
    word = code(error)
    status = getattr(error, "status_code", None)
    if word in _LOCKED:
        return Denied(
            f"{address} refused: an immutability policy or a legal hold stands.",
            "Release the hold, or wait until the policy ends; it cannot be shortened.",
        )
    if isinstance(error, a.ClientAuthenticationError) or word in _EXPIRED or status == 401:
        return Storage(
            f"{address} does not accept the credentials, or there are none, or they have expired.",
            "Sign in again (`az login`), or give the machine a managed identity, then run the same "
            "command again; what was stored so far is kept.",
        )
    if status == 403:
        return Denied(
            f"{address} lets the identity of Locard not do this ({word or '403'}).",
            "Give it the role of docs/howto/keep-evidence-where-nobody-can-delete-it.md.",
        )
    if isinstance(error, a.ResourceNotFoundError):
        return Missing(f"{address} does not exist.", "Check account and container, or make them.")
    if word in _ALTERED:
        return altered(address)
    if word in _BUSY or status in (429, 500, 503):
        return busy(address)
    if isinstance(error, a.ServiceRequestError | a.ServiceResponseError | a.IncompleteReadError):
        return lost(address)
    return refused(f"{address} refused", word or type(error).__name__)
