"""One module a source of a domain; each says in `FEEDS` which files, or records of an API, it loads.

The first feed of files also answers for what belongs to none of them: files of no feed's name, and lines of
corrections that cannot be split.
"""
