"""Points of members as head office sees them: debts that later earnings pay, what is still owed."""
