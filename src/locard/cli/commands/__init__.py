# SPDX-License-Identifier: Apache-2.0
"""One file a command: a module with `register(app)` is found here by itself."""
