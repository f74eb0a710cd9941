# SPDX-License-Identifier: Apache-2.0
"""The servers as fixtures: one of each for all tests of a process."""

from collections.abc import Iterator

import pytest

from tests.servers.seaweedfs import Seaweed, seaweedfs


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """An S3 server whose Object Lock holds."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture
def as_admin(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Seaweed:
    """The server, with its administrator's credentials in the environment."""
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)
    return seaweed
