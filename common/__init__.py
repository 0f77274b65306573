"""Files, atomic writes and locks: what every other package may use."""
