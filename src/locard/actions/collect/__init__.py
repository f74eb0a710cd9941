# SPDX-License-Identifier: Apache-2.0
"""Actions that take evidence and change nothing that matters to the suspect."""
