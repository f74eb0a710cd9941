# SPDX-License-Identifier: Apache-2.0
"""Google Cloud."""

SCHEME = "gs"
EXTRA = "gcp"
SDK = "google-cloud-storage"
