"""The acceptance experiments of the student, each with its budget: `make proofs DATA=DIR` writes docs/results.md."""
