"""Quarantine, and the comparison of targets."""
