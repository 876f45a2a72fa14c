"""Hornbook beside other tools that ask a teacher in bulk, measured on the same endpoints."""
