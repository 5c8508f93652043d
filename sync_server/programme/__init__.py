"""Programme bundles."""
