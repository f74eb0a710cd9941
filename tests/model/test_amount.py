# SPDX-License-Identifier: Apache-2.0
import pytest

from locard.model.amount import size


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (99.9 * 1024, "99.9 KiB"),
        (100 * 1024, "100 KiB"),
        (1 << 30, "1.0 GiB"),
        (1 << 40, "1.0 TiB"),
        (5000 << 50, "5000 PiB"),
    ],
)
def test_sizes_are_said_with_binary_units(number: float, said: str) -> None:
    assert size(number) == said
