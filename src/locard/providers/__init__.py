# SPDX-License-Identifier: Apache-2.0
"""Providers: the only place that imports a cloud's SDK, and only when a setting asks for it.

A provider is a folder whose `__init__` names the `SCHEME` of its stores, the `EXTRA` that installs
its SDK, and the SDK in words; `store.py` in it has `connect(place)`.
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import cast

from locard.evidence import Store
from locard.evidence.ciphers import KeyService
from locard.evidence.place import Place
from locard.evidence.signing import Signer
from locard.model.errors import Error


def schemes() -> dict[str, ModuleType]:
    """Every provider by the scheme of its stores."""
    found = (import_module(f"{__name__}.{one.name}") for one in iter_modules(__path__) if one.ispkg)
    return {module.SCHEME: module for module in found if hasattr(module, "SCHEME")}


def connect(place: Place) -> Store:
    """The store at a place in a cloud. Nothing is asked of it yet.

    Raises `Error` when there is no such provider, or its SDK is not installed.
    """
    known = schemes()
    if place.scheme not in known:
        raise Error(
            f"There is no store behind {place.scheme[:20]}://.",
            f"There are: file://, {', '.join(f'{one}://' for one in sorted(known))}.",
        )
    return cast(Store, part(known[place.scheme], "store").connect(place))


def key_service(key: str) -> KeyService:
    """What wraps data keys with `key`; AWS KMS, the only one there is so far."""
    return cast(KeyService, part(schemes()["s3"], "kms").DataKeys(key))


def signing_service(key: str, origin: Callable[[], str]) -> Signer:
    """What signs the ledger named by `origin` with `key`; AWS KMS, the only one there is so far."""
    return cast(Signer, part(schemes()["s3"], "signing").KmsSigner(key, origin))


def session(provider: str) -> ModuleType:
    """The module that opens sessions at accounts of a provider, by its name: `aws`."""
    return named(provider, "session")


def named(provider: str, what: str) -> ModuleType:
    """A module of the provider of that name. Raises `Error` when there is no such provider."""
    known = {one.name for one in iter_modules(__path__) if one.ispkg}
    if provider not in known:
        raise Error(
            f"There is no provider called {provider[:40]!r}.", f"There are: {', '.join(known)}."
        )
    return part(import_module(f"{__name__}.{provider}"), what)


def part(provider: ModuleType, name: str) -> ModuleType:
    """A module of a provider that needs its SDK. Raises `Error` that says how to install it."""
    try:
        return import_module(f"{provider.__name__}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("locard"):
            raise
        raise Error(
            f"{provider.SCHEME}:// needs {provider.SDK}, which is not installed.",
            f"Install it: pip install 'locard[{provider.EXTRA}]'",
        ) from error
