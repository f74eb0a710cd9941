# SPDX-License-Identifier: Apache-2.0
"""Plaso as log2timeline CSV."""
