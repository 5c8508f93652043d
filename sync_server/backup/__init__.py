"""Copies of the server: made while it serves, read back, restored."""
