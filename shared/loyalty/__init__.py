"""The programme document, and the rules of points, lots, tiers and returns as pure functions."""
