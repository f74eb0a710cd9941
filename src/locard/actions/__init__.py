# SPDX-License-Identifier: Apache-2.0
"""Actions: what is collected from clouds and isolated in them. The path of a module is its id."""
