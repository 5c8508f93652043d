"""The socket that the server listens on."""

import socket
import sys
from typing import Final

from shared.errors import EnvironmentFault

BACKLOG: Final = 512


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one. EnvironmentFault ``cannot-listen``.

    The protocol is named because asyncio turns Nagle's algorithm off only on sockets that name it;
    with it on, each answer waits 40 ms for the client's delayed acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise EnvironmentFault("cannot-listen", address=f"{host}:{port}", reason=reason) from error
    return listener
