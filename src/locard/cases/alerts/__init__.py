# SPDX-License-Identifier: Apache-2.0
"""Alerts come in: read by mappings, held against each other, put into cases, kept as evidence.

Nothing in this package knows a detector or a provider by name; what is known of them is data below
`sources/`.
"""
