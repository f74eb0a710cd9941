# SPDX-License-Identifier: Apache-2.0
"""What an answer of an AWS service to an action means, as one of our errors.

Messages of the SDK are passed on only where they name no secret: encoded authorisation messages and
access keys are cut out.
"""

import re

from botocore import exceptions as b
from botocore.exceptions import ClientError

from locard.model.errors import Busy, Conflict, Denied, Error, Missing, Storage
from locard.providers.aws.permissions import permission_of

_DENIED = {
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure",
    "AuthorizationError", "Client.UnauthorizedOperation", "UnauthorizedException",
}  # fmt: skip
_BUSY = {
    "Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown", "TooManyRequests",
    "TooManyRequestsException", "RequestThrottled", "RequestThrottledException",
    "ProvisionedThroughputExceededException", "BandwidthLimitExceeded", "ServiceUnavailable",
    "ThrottledException", "EC2ThrottledException", "PriorRequestNotComplete",
    "TransactionInProgressException", "SnapshotCreationPerVolumeRateExceeded",
    "ConcurrentSnapshotLimitExceeded", "KmsThrottled", "DependencyThrottle",
}  # fmt: skip
_FAILING = {
    "InternalError", "InternalFailure", "InternalServerError", "InternalServerException",
    "ServiceException", "ServiceFailure", "ServerException", "ServiceUnavailableException",
    "Unavailable", "RequestTimeout", "RequestTimeoutException", "InternalServerErrorException",
    "InternalServiceErrorException", "InternalServiceError", "WAFInternalErrorException",
    "KMSInternalException", "DependencyTimeoutException",
}  # fmt: skip
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {
    "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "UnrecognizedClientException", "IncompleteSignature",
}  # fmt: skip
_ABSENT = re.compile(
    r"NoSuch\w+|\w*NotFound(Exception|Fault|Error)?|\w+\.NotFound|\w*DoesNotExist(Exception)?|"
    r"WAFNonexistentItemException|AWS\.SimpleQueueService\.NonExistentQueue|404"
)
_CLASH = {
    "DependencyViolation", "IncorrectInstanceState", "ResourceInUse", "Resource.AlreadyAssociated",
    "EntityAlreadyExists", "ScalingActivityInProgress", "ResourceContention", "InvalidGroup.InUse",
    "OperationAborted", "ConcurrentModification", "InvalidGroup.Duplicate", "DeleteConflict",
    "InvalidDBInstanceState", "InvalidDBInstanceStateFault", "InvalidDBClusterStateFault",
    "ConflictException", "ResourceConflictException", "ResourceInUseException",
    "ConcurrentModificationException", "DBInstanceNotReady", "InvalidDBSnapshotState",
    "EntityTemporarilyUnmodifiable", "OperationAbortedException", "IncorrectState",
    "UpdateInProgressException", "ResourceNotReadyException",
}  # fmt: skip
_SECRET = re.compile(r"Encoded authorization failure message:.*|\b(AKIA|ASIA)[A-Z0-9]{12,}", re.S)


def code(error: ClientError) -> str:
    """The service's word for what is wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: ClientError) -> str:
    """What the service says of it, without what nobody else may read."""
    said = str(error.response.get("Error", {}).get("Message", ""))
    return _SECRET.sub("…", said).strip()[:300]


def meaning(error: ClientError, action: str, account: str) -> Error:
    """The error that a person can act on."""
    word, said = code(error), message(error)
    if word in _DENIED:
        action = permission_of(action)
        return Denied(
            f"AWS account {account} denied {action}.",
            f"Allow {action} to the role of Locard there (locard account policy writes the whole "
            "policy), and look for a service control policy or a boundary that denies it.",
        )
    if word in _BUSY:
        return Busy(
            f"AWS account {account} throttles {action} and went on to do so.",
            "What was done is recorded. Try again later; a run goes on with: "
            "locard runs resume RUN",
        )
    if word in _FAILING:
        return Busy(
            f"AWS failed at {action} in account {account}, several times: {word}.",
            "It may have been done or not. Try again later; a run looks first and goes on with: "
            "locard runs resume RUN",
        )
    if word in _EXPIRED:
        return Storage(
            f"The credentials for AWS account {account} have expired and cannot be renewed.",
            "Sign in and try again; a run goes on with: locard runs resume RUN",
        )
    if word in _UNKNOWN:
        return Storage(
            f"AWS does not know the credentials that were found, for account {account}.",
            "Check AWS_PROFILE, the access key and its secret.",
        )
    if _ABSENT.fullmatch(word):
        return Missing(
            f"{said or word} ({action} in account {account})",
            "Check the name, the account and the region; it may have been deleted meanwhile.",
        )
    if word in _CLASH:
        return Conflict(
            f"{action} in account {account}: {said or word}",
            "Look at what stands there now, then run the same command again.",
        )
    return Error(f"AWS refused {action} in account {account}: {word}: {said}", "Nothing was done.")


def lost(error: Exception, address: str) -> Error:
    """What it means that there was no answer at all."""
    if isinstance(error, b.NoCredentialsError | b.PartialCredentialsError | b.ProfileNotFound):
        return Storage(
            f"There are no credentials for {address}.",
            "Sign in (`aws sso login`), or set AWS_PROFILE, or give the machine a role.",
        )
    if isinstance(error, b.ParamValidationError):
        return Error(f"{address}: {str(error)[:300]}")
    return Storage(
        f"The connection to {address} was lost, or it cannot be reached.",
        "What was done is recorded. Check the network and try again; a run goes on with: "
        "locard runs resume RUN",
    )
