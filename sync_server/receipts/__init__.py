"""Receipts as whoever holds their paper may see them again."""
