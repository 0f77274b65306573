"""One module a domain; each says in `FEEDS` which files it loads.

The first feed also answers for what belongs to none of them: files of no feed's name, and lines of
corrections that cannot be split.
"""
