# SPDX-License-Identifier: Apache-2.0
"""What AWS's words for a fault mean for a person: of all services that actions call."""

import re
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import ClientError

import locard
from locard.model.errors import Busy, Conflict, Denied, Error, Missing
from locard.providers.aws.answers import meaning

ROOT = Path(locard.__file__).parent / "actions"
SDK = botocore.session.get_session()
CALLED = {
    service
    for file in ROOT.rglob("*.py")
    for service in re.findall(r'"([a-z\d-]+):[A-Z]\w+"', file.read_text())
} & set(SDK.get_available_services())
ABSENT = sorted(
    {
        str(shape.metadata.get("error", {}).get("code", shape.name))
        for service in CALLED
        for shape in SDK.get_service_model(service).error_shapes
        if re.search("NotFound|NoSuch|DoesNotExist|[Nn]on[Ee]xist", shape.name)
    }
)


def meant(word: str) -> Error:
    answer = {"Error": {"Code": word, "Message": "so it is"}}
    return meaning(ClientError(answer, "Call"), "ec2:Call", "123")  # type: ignore[arg-type]


def test_the_services_are_found() -> None:
    assert {"ec2", "ssm", "wafv2", "kms"} <= CALLED and len(ABSENT) > 50


@pytest.mark.parametrize("word", ABSENT)
def test_what_is_not_there_is_missing_whatever_a_service_calls_it(word: str) -> None:
    assert isinstance(meant(word), Missing)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("InvalidInstanceID.NotFound", Missing),
        ("AWS.SimpleQueueService.NonExistentQueue", Missing),
        ("InvocationDoesNotExist", Missing),
        ("UnauthorizedOperation", Denied),
        ("EC2ThrottledException", Busy),
        ("SnapshotCreationPerVolumeRateExceeded", Busy),
        ("InternalFailure", Busy),
        ("ResourceConflictException", Conflict),
    ],
)
def test_words_that_decide_what_a_run_does_next(word: str, kind: type[Error]) -> None:
    found = meant(word)
    assert type(found) is kind and found.advice


def test_a_fault_of_aws_does_not_say_that_nothing_was_done() -> None:
    assert "may have been done or not" in meant("InternalError").advice
