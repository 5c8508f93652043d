"""Cards that are swiped or tapped. Payment cards are recognised and dropped at once."""
