# SPDX-License-Identifier: Apache-2.0
"""What is said of bytes that are not in the form that they claim."""


class Malformed(Exception):
    """Bytes are not what their format says. The message is a clause without a full stop."""
