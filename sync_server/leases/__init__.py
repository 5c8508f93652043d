"""Leases: rights to spend that are granted to tills, and what tills did with them."""
