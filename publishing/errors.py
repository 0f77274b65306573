"""Errors of a publication that was refused."""


class PublishError(RuntimeError):
    """Nothing was published; readers see what they saw before."""


class SupersededRunError(PublishError):
    """Another run has built the marts since this one did, and is the one to publish them."""


class PublishStoppedError(PublishError):
    """A limit is exceeded; a retry gives the same result unless somebody publishes by force."""
