"""Why a domain was not published."""


class PublishError(RuntimeError):
    """Nothing was published; what was published before is as it was."""


class SupersededRunError(PublishError):
    """Another run has built the marts since this one did; what it has tested is for it to publish."""


class PublishStoppedError(PublishError):
    """Something is beyond a limit; it is so at a second try as well, unless somebody accepts it."""
