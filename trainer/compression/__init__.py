"""Makes a trained student smaller: quantised, pruned, factorised, with shared layers."""
