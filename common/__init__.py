"""Files, atomic writes and locks, for every other package."""
