"""Stores and tills."""
