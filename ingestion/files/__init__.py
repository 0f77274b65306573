"""Delivered files: find, fingerprint, parse, load and archive them."""
