# SPDX-License-Identifier: Apache-2.0
"""moto's server with what it lacks in front of it."""
