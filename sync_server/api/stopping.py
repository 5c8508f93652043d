"""A server that can stop while tills wait for news."""

import socket

import uvicorn

from sync_server.sync.news import News


class StoppingServer(uvicorn.Server):
    """Answers those who wait before it waits for them to be answered."""

    def __init__(self, config: uvicorn.Config, news: News) -> None:
        super().__init__(config)
        self._news = news

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking requests, and end those that are running."""
        self._news.let_go()
        await super().shutdown(sockets)
