"""One module a domain; each says in `FEEDS` which files it loads."""
