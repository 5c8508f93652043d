"""The HTTP interface of tills."""
