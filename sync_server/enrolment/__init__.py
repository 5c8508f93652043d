"""Tills joining with a one-time code."""
