# SPDX-License-Identifier: Apache-2.0
"""Servers for the tests of providers."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.servers.fixtures import as_admin, seaweed
from tests.servers.moto import moto

__all__ = ["as_admin", "seaweed"]


@pytest.fixture(scope="module")
def key_endpoint() -> Iterator[str]:
    """The address of a server of AWS KMS."""
    with moto() as address:
        yield address


@pytest.fixture
def kms(key_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of it, which Locard finds too."""
    for name, value in {
        "AWS_ENDPOINT_URL_KMS": key_endpoint,
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    return boto3.client("kms", region_name="eu-central-1")
