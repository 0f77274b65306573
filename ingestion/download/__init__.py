"""Downloads files: complete and checked, or not at all."""
