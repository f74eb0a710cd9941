# SPDX-License-Identifier: Apache-2.0
"""Real servers that tests start on loopback, and what can go wrong on the way to them."""
