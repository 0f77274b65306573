"""One module per source of a domain; its `RESOURCES` declare the files or API records that it loads.

The first file resource of a domain also reports what belongs to none of them: files whose name no resource
matches, and lines of corrections that cannot be split into columns.
"""
