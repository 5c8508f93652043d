"""Rings a real shop's lines through the same checkout and return services as the screens."""
