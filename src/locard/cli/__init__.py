# SPDX-License-Identifier: Apache-2.0
"""The door in the terminal. Exit status: 0 success, 1 a finding against the data, 2 a mistake."""
