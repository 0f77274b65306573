"""The dashboard. Its pages read only published files and keep no file open."""
