"""Push, pull and look-up."""
