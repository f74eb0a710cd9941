# SPDX-License-Identifier: Apache-2.0
"""What talks to clouds, against real servers where they can be had."""
