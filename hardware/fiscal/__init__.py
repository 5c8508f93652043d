"""Fiscal devices: what numbers and signs receipts where a country's law asks for it."""
