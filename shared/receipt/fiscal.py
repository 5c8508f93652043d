"""The fiscal device's part of a receipt: its signature, or that there is none."""

from datetime import datetime

from shared.receipt.document import Align, Block, Pair, Rule, Style, Text
from shared.receipt.issue import Issue
from shared.trade.fact import FiscalOutcome
from shared.trade.fiscal import FiscalState


def fiscal_part(issue: Issue, outcome: FiscalOutcome | None) -> list[Block]:
    """Nothing where the till has no device; else what the device has said by the time of printing.

    The figures are those that German receipts bear (KassenSichV, section 6): numbers, both times,
    the device's serial number, the signature; or a plain mark that it failed.
    """
    if outcome is None:
        return []
    voice, record = issue.voice, issue.fiscal
    if record is None or record.state is not FiscalState.SIGNED:
        failure = record.failure if record is not None else outcome.failure
        key = "paper.fiscal.offline" if failure == "offline" else "paper.fiscal.failed"
        told = [Text(line, Align.CENTER, Style.STRONG) for line in voice.tell(key)]
        return [Rule(), *told]
    return [
        Rule(),
        Pair(voice.say("paper.fiscal.number"), str(record.number)),
        Pair(voice.say("paper.fiscal.counter"), str(record.counter)),
        Pair(voice.say("paper.fiscal.begun"), voice.time(_time(record.started_at))),
        Pair(voice.say("paper.fiscal.finished"), voice.time(_time(record.finished_at))),
        Text(f"{voice.say('paper.fiscal.device')} {record.device}"),
        Text(f"{voice.say('paper.fiscal.signature')} {record.signature}"),
    ]


def _time(told: str) -> datetime:
    return datetime.fromisoformat(told)
