# SPDX-License-Identifier: Apache-2.0
"""Amounts as a person reads them, the same at the command line and on the page."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(number: float) -> str:
    """Bytes with binary units under their right names, as `web/src/text/number.ts` says them."""
    unit = 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.{1 if unit and number < 100 else 0}f} {_UNITS[unit]}"
