"""Comparison of all rows of all tables."""

from collections.abc import Mapping
from typing import Any


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the tables that only one side has or whose rows differ; printing a difference of all rows takes minutes."""
    return sorted(table for table in {*one, *other} if one.get(table) != other.get(table))
