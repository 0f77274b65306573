"""The error of this package."""


class BackupError(RuntimeError):
    """A backup could not be made, read or restored; the message says what to do. Nothing was replaced."""
