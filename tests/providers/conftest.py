# SPDX-License-Identifier: Apache-2.0
"""Servers for the tests of providers."""

from tests.servers.fixtures import as_admin, seaweed

__all__ = ["as_admin", "seaweed"]
