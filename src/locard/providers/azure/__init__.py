# SPDX-License-Identifier: Apache-2.0
"""Microsoft Azure."""

SCHEME = "azure"
EXTRA = "azure"
SDK = "azure-storage-blob"
