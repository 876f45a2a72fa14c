"""Runs all of it: the recipe, the stages on Ray, teacher servers, and the `hornbook` command."""
