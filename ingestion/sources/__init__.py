"""One module per source of a domain; its `FEEDS` say which files, or records of an API, it loads.

The first feed of files also accounts for what belongs to none of them: files whose name fits no feed, and lines of
corrections that cannot be split into columns.
"""
