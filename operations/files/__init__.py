"""Files that are written as a whole, locked, or packed into an archive."""
