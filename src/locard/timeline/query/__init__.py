# SPDX-License-Identifier: Apache-2.0
"""The query language: Lucene syntax in, a condition in ClickHouse SQL with bound parameters out."""

from locard.timeline.query.where import Condition, condition

__all__ = ["Condition", "condition"]
