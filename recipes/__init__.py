"""Complete runs as YAML, shipped inside the wheel so that `hornbook new` works outside a clone."""
