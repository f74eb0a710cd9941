# SPDX-License-Identifier: Apache-2.0
"""Values that a cloud answers with, as a person says them: no `True`, no `None`, no brackets."""

from collections.abc import Mapping
from typing import Any


def spoken(value: Any) -> str:
    """A value in a sentence: `on`, `not set`, `none`, `sg-1, sg-2`, `BlockPublicAcls on`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None or value == "":
        return "not set"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_within(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_within(one) for one in value) or "none"
    return str(value)


def _within(value: Any) -> str:
    nested = isinstance(value, Mapping | list | tuple) and value
    return f"({spoken(value)})" if nested else spoken(value)


def differing(before: Any, now: Any) -> str:
    """How two values differ, as the end of a sentence: `was on and is off`, `has sg-2 besides`."""
    if isinstance(before, list) and isinstance(now, list) and (before or now):
        came = [one for one in now if one not in before]
        went = [one for one in before if one not in now]
        told = [f"has {spoken(came)} besides"] if came else []
        told += [f"lacks {spoken(went)}"] if went else []
        return " and ".join(told) or "has the same in another order or number"
    return f"was {spoken(before)} and is {spoken(now)}"
