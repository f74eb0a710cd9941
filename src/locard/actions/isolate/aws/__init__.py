# SPDX-License-Identifier: Apache-2.0
"""Isolating in Amazon Web Services."""
