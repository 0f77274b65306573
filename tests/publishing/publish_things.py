"""Publish the domain `things`: `python -m tests.publishing.publish_things [run_id [keep]]`, by default one version is kept."""

import sys

from publishing.publish import publish

if __name__ == "__main__":
    run_id, keep = [*sys.argv[1:], *("shell", "1")[len(sys.argv) - 1 :]]
    publish("things", run_id=run_id, keep=int(keep))
