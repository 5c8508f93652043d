"""Booking kept entries, and finding what does not add up."""
