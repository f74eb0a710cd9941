# SPDX-License-Identifier: Apache-2.0
"""What leaves the house: sealed bundles that a third party can check, and taking in another's."""
