"""Fetches files from servers that stall, cut off, refuse for a while or lie: the whole file or nothing."""
