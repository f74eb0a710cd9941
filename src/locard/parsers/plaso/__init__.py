# SPDX-License-Identifier: Apache-2.0
"""What Plaso writes."""
