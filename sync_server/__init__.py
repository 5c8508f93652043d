"""The sync server: one truth of many stores."""
