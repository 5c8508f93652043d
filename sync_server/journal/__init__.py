"""Journals as stored: entries, heads, the server's own, and their audit."""
