"""``evertill-server``: the command line."""

from sync_server.commands.application import main

__all__ = ["main"]
