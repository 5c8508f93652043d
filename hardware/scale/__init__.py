"""Scales on a serial line: what a till asks of one, and the protocols that scales speak."""
