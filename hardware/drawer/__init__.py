"""The cash drawer's switch."""
