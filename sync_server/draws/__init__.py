"""Prize draws: who has entered, and who won."""
