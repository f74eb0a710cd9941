# SPDX-License-Identifier: Apache-2.0
"""Locard: evidence in custody, and one provable timeline of it."""

__version__ = "0.1.0"
