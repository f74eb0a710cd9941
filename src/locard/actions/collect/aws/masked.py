# SPDX-License-Identifier: Apache-2.0
"""Configurations without their secrets: who reads the evidence need not be who may use them.

A masked value says how long it was and begins with a keyed digest of the run, so that equal values
can be told to be equal within one answer, and none can be guessed from it.
"""

import hmac
from secrets import token_bytes

from locard.model.action import Json

SECRET = frozenset({"Variables", "environment", "secrets"})
"""Members whose values are masked, whatever they are called: names say nothing."""


def masked(found: Json) -> Json:
    """The answer with the values of environment variables masked."""
    return _masked(found, token_bytes(32))


def _masked(found: Json, key: bytes) -> Json:
    if isinstance(found, dict):
        return {
            name: _hidden(one, key) if name in SECRET else _masked(one, key)
            for name, one in found.items()
        }
    if isinstance(found, list):
        return [_masked(one, key) for one in found]
    return found


def _hidden(found: Json, key: bytes) -> Json:
    if isinstance(found, dict):
        named = {name: one for name, one in found.items() if name == "name"}
        return {name: _hidden(one, key) for name, one in found.items()} | named
    if isinstance(found, list):
        return [_hidden(one, key) for one in found]
    text = str(found)
    return f"masked {hmac.digest(key, text.encode(), 'sha256').hex()[:12]}, {len(text)} characters"
