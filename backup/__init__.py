"""Copies of everything that is not code, and the way back."""
