"""Head office in the browser."""
