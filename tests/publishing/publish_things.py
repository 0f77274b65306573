"""Publishes the domain `things` and keeps one version: `python -m …`."""

from publishing.publish import publish

if __name__ == "__main__":
    publish("things", keep=1)
