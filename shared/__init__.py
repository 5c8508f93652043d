"""What both sides must agree on: pure, without Qt, database or network."""
