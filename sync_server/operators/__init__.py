"""Who may work at a till."""
