# SPDX-License-Identifier: Apache-2.0
"""The nouns of Locard. They import the standard library only and know nobody."""
