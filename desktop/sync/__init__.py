"""The sync client: pushes the journal, pulls what the server says, never in a sale's way."""
