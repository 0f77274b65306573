"""Files that are written as a whole, file_lock, or packed into an archive."""
