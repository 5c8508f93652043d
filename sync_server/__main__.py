"""``python -m sync_server``: the same as ``evertill-server``."""

from sync_server.commands import main

main()
