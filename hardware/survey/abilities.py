"""Asks a printer which questions it answers."""

from dataclasses import dataclass
from typing import Final

from hardware.escpos import commands
from hardware.escpos.answers import AnswerReader
from hardware.escpos.profile import Answers, AskBy, Confirm
from hardware.printer.job import SHORTEST_WAIT_S, receive
from hardware.printer.transport import Link, Transport

ECHO_NUMBER: Final = b"0817"
LISTEN_S: Final = 1.0
"""A printer that is asked alone answers within a tenth of it."""
CONNECT_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class StatusAbilities:
    """Which questions were answered."""

    real_time: bool = False
    """``DLE EOT``"""
    automatic: bool = False
    """``GS a``"""
    paper: bool = False
    """``GS r 1``"""
    echo: bool = False
    """``GS ( H``"""

    @property
    def answers(self) -> Answers:
        """A printer without a word before a job may be sent to all the same."""
        if self.real_time or self.automatic:
            return Answers.ALWAYS
        return Answers.ASK if self.paper or self.echo else Answers.NEVER

    @property
    def ask_by(self) -> AskBy:
        """How it is asked before a job."""
        return AskBy.ASB if self.automatic and not self.real_time else AskBy.DLE_EOT

    @property
    def confirm(self) -> Confirm:
        """What proves its jobs: the word that cannot be mistaken first."""
        if self.echo:
            return Confirm.GS_H
        return Confirm.GS_R if self.paper else Confirm.NONE


def ask_printer(transport: Transport, *, wait_s: float = LISTEN_S) -> StatusAbilities:
    """Ask everything once, each question alone; LinkError where the printer cannot be reached."""
    with transport.connect(timeout_s=CONNECT_TIMEOUT_S) as link:
        return StatusAbilities(
            real_time=bool(_asked(link, commands.request_status(1), wait_s).real_time),
            automatic=bool(_asked(link, commands.SEND_STATUS_BY_ITSELF, wait_s).automatic),
            paper=bool(_asked(link, commands.REQUEST_PAPER_STATUS, wait_s).paper),
            echo=ECHO_NUMBER in _asked(link, commands.request_echo(ECHO_NUMBER), wait_s).echoes,
        )


def _asked(link: Link, question: bytes, wait_s: float) -> AnswerReader:
    """What came after a question, once what came before it is out of the way."""
    receive(link, timeout_s=SHORTEST_WAIT_S)
    link.send(question, timeout_s=wait_s)
    heard = AnswerReader()
    while got := receive(link, timeout_s=wait_s):
        heard.feed(got)
        if heard.real_time or heard.automatic or heard.paper or heard.echoes:
            break
    return heard
