"""Publish the domain `things`, print the error: `python -m tests.publishing.publish_on_full_disk BYTES`.

No file may become larger than BYTES, so a write fails in the middle of a file, as on a full disk.
"""

import resource
import sys

from publishing.errors import PublishError
from publishing.publish import publish

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
    try:
        publish("things")
    except PublishError as error:
        print(type(error).__name__, error)
