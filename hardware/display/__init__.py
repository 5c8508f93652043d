"""Customer displays of two lines on a serial line."""
