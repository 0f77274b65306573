"""Comparing all rows of all tables."""

from collections.abc import Mapping
from typing import Any


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Tables that are not in both, or whose rows differ; a difference of all rows would take minutes to print."""
    return sorted(table for table in {*one, *other} if one.get(table) != other.get(table))
