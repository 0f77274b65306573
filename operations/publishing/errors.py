"""Why a domain was not published."""


class PublishError(RuntimeError):
    """Nothing was published; what was published before is as it was."""


class PublishStoppedError(PublishError):
    """Something is beyond a limit; it is so at a second try as well, unless somebody accepts it."""
