"""What a student can do: bits per byte by kind of text, choices by likelihood, programs that run, and its own words."""
