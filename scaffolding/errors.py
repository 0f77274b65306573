"""What stops `sluice new` and `sluice remove`."""


class ScaffoldingError(ValueError):
    """A domain cannot be made or removed; the message says why and what to do. Nothing is written."""
