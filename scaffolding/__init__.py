"""Makes a new domain from delivered files, and removes a domain again.

`profile` finds out what files hold, `render` makes the files of a domain from it, `write` and `remove` change the
project.
"""
