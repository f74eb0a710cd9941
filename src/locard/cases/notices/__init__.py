# SPDX-License-Identifier: Apache-2.0
"""Notices: people and systems are told by mail, chat and syslog; what cannot be sent is recorded.

No notice stops anything, whatever happens to it.
"""
