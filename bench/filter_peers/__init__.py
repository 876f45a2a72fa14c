"""Hornbook's filters beside those of other tools, on the same documents in one run."""
