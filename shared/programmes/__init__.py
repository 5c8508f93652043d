"""Programmes that come with the product, as data."""
