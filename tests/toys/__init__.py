# SPDX-License-Identifier: Apache-2.0
"""A second provider, as small as can be: what is general knows no provider by name."""
