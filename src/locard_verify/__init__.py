# SPDX-License-Identifier: Apache-2.0
"""What a third party needs to check custody: the formats, and the judgement on them.

This package imports the standard library, `cryptography` and `rfc3161_client` and nothing of
Locard, so that it can be read and run alone. Locard writes what it writes with these same
formats: each of them exists once, here.
"""

__version__ = "0.1.0"
