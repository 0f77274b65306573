"""The command line `sluice`."""
