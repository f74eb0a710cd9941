# SPDX-License-Identifier: Apache-2.0
"""Clouds on loopback: the emulators there are, and what they lack."""
