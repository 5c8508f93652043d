"""The server's own keys, in files beside the database."""
