"""Goods that come back: reckoned once, for the till, the server's audit and the workbench."""
