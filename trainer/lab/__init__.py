"""Experiments on data: arms at equal tokens, paired seeds, intervals, controls, and words that say no more than these."""
