"""What head office tells tills to do."""
