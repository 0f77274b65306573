"""The page that people look at. It reads what is published and nothing else, and holds no file open."""
