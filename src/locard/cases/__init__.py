# SPDX-License-Identifier: Apache-2.0
"""The conductor: cases, adding evidence, searching, proving and exporting. Only it knows the whole.

The doors (`cli`, `api`) call `Desk` and decide nothing themselves.
"""
