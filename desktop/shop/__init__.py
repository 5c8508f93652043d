"""A whole small chain of stores in one folder: a server process, tills, and a plug to pull."""
