"""Enriches texts by local rules or by a model: each text once, within a budget."""
