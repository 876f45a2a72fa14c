"""Redundancy of a corpus: how much of it a model predicts without having seen it, what can go, and what to add first.

After Li, Persaud, Choudhary, DeCost, Greenwood and Hattrick-Simpers, Nat. Commun. 14:7283 (2023), and their code.
"""
