# SPDX-License-Identifier: Apache-2.0
"""Collecting in Amazon Web Services."""
