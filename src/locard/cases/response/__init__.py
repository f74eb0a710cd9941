# SPDX-License-Identifier: Apache-2.0
"""Responding: plans, runs and releases in clouds, durable and told to the ledger.

Nothing in this package knows a provider by name.
"""
