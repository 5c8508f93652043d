"""Members: profiles, look-up keys, erasure."""
