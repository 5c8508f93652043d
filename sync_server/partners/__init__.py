"""Businesses whose customers earn and spend our points, and what each side owes for it."""
