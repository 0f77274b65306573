"""Realistic input files at any size, with defects whose number is known exactly."""
