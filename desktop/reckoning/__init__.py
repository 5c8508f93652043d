"""Reads the files that tills and server left, and says whether they agree.

A judge of the product by its files alone: SQL, JSON and SHA-256, none of its own code and no
counter of whoever made the files.
"""
