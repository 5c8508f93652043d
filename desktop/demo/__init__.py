"""A small chain of stores to look at: by hand beside simulators, or played for a day."""
