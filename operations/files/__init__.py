"""Files that are written whole, held by one process at a time, and put away."""
