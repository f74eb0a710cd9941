# SPDX-License-Identifier: Apache-2.0
"""Actions that contain a resource, each with the way back."""
