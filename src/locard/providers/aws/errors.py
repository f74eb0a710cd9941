# SPDX-License-Identifier: Apache-2.0
"""What AWS answers when it does not do it, as a sentence of what is wrong and what to do.

Messages of the SDK are not passed on: some name access keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as b
from botocore.exceptions import BotoCoreError, ClientError

from locard.evidence.remote import altered, busy, lost
from locard.model.errors import Denied, Error, Missing, Storage

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId",
    "UnrecognizedClientException", "AuthorizationHeaderMalformed", "InvalidSecurity",
}  # fmt: skip
_DENIED = {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403", "Forbidden"}
_ABSENT = {"NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFoundException", "404"}
_ALTERED = {
    "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch",
    "InvalidPart", "IncompleteBody",
}  # fmt: skip
_BUSY = {"SlowDown", "ServiceUnavailable", "503", "Throttling", "ThrottlingException"}
_FULL = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge", "507"}
_ACTIONS = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "DeleteObject": "DeleteObjectVersion",
}
"""Operations whose permission has another name."""

_NO_CREDENTIALS = (
    b.NoCredentialsError, b.PartialCredentialsError, b.ProfileNotFound, b.CredentialRetrievalError,
)  # fmt: skip
_EXPIRED_SIGN_IN = (b.SSOError, b.TokenRetrievalError, b.UnauthorizedSSOTokenError)
_LOST = (b.HTTPClientError, b.ConnectionError, b.IncompleteReadError, b.ResponseStreamingError)


@contextmanager
def sentences(address: str, service: str = "s3") -> Iterator[None]:
    """Turns the SDK's errors inside the context into those that reach a person."""
    try:
        yield
    except ClientError as error:
        raise refused(error, address, service) from error
    except (BotoCoreError, ConnectionError, TimeoutError) as error:
        raise _unreached(error, address) from error


def code(error: ClientError) -> str:
    """The service's word for what is wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def refused(error: ClientError, address: str, service: str = "s3") -> Error:
    """What an answer of the service means."""
    word, action = code(error), error.operation_name
    action = f"{service}:{_ACTIONS.get(action, action)}"
    if word in _EXPIRED:
        return _expired(address)
    if word in _UNKNOWN:
        return Storage(
            f"{address} does not know the credentials that were found.",
            "Check AWS_PROFILE, the access key and its secret, and that they are of this store.",
        )
    if word in _DENIED:
        return Denied(
            f"{address} refused {action}.",
            "If nothing stands against it, such as a retention, a hold or a policy of the bucket, "
            f"allow {action} to the identity that Locard runs as "
            "(docs/howto/keep-evidence-where-nobody-can-delete-it.md has the whole policy).",
        )
    if word in _ABSENT:
        return Missing(f"{address} does not exist.", "Check its name and region, or make it first.")
    if word in _ALTERED:
        return altered(address)
    if word in _FULL:
        return Storage(f"{address} is full.", "Raise its quota, then run the same command again.")
    if word == "RequestTimeTooSkewed":
        return Storage(
            f"The clock of this machine is too far off for {address}.",
            "Set the clock (NTP), then run the same command again.",
        )
    if word in _BUSY:
        return busy(address)
    return Storage(
        f"{address} refused {action}: {word[:60] or 'without a reason'}.",
        "Run the same command again; what was stored so far is kept.",
    )


def _unreached(error: Exception, address: str) -> Error:
    if isinstance(error, _EXPIRED_SIGN_IN):
        return _expired(address)
    if isinstance(error, _NO_CREDENTIALS):
        return Storage(
            f"There are no credentials for {address}.",
            "Sign in (`aws sso login`), or set AWS_PROFILE, or give the machine a role.",
        )
    if isinstance(error, b.NoRegionError):
        return Error(f"{address} needs a region.", "Add ?region=eu-central-1, or set AWS_REGION.")
    if isinstance(error, (*_LOST, ConnectionError, TimeoutError)):
        return lost(address)
    return Storage(f"{address} cannot be used: {type(error).__name__}.", "Check its settings.")


def _expired(address: str) -> Error:
    return Storage(
        f"The credentials for {address} have expired.",
        "Sign in again (`aws sso login`, or new session credentials), then run the same command "
        "again; what was stored so far is kept.",
    )
