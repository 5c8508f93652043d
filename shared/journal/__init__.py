"""The journal: append-only entries, numbered without gaps, chained by hash, signed at the head."""
