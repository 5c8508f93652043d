"""Sales, returns and their signatures as one file for an auditor: checked with openssl and json."""

import base64
import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop.store.fiscal import FiscalTicket, fiscal_ticket
from desktop.store.journal import read_chained
from desktop.store.schema import entries, fiscal_tickets
from hardware.fiscal.port import FiscalDevice, signed_bytes
from hardware.ports import DeviceError
from shared.ids import EntryId
from shared.trade.fiscal import FiscalRecorded, Ticket, fiscal_data
from shared.trade.kinds import read_fact

DEVICE_DEADLINE_S: Final = 10.0
TICKETS: Final = "tickets.jsonl"
DEVICE: Final = "device.tar"
INDEX: Final = "index.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """What went into the file."""

    tickets: int
    signed: int
    device: str
    """``exported``; else why the device's own archive is not in it, or empty without one."""

    @property
    def unsigned(self) -> int:
        """Tickets without a signature; they are in the file too."""
        return self.tickets - self.signed


def export_fiscal(
    connection: Connection,
    device: FiscalDevice | None,
    file: Path,
    *,
    first: date | None = None,
    last: date | None = None,
) -> Exported:
    """Write a TAR archive of the business days asked for; the file is there whole or not at all."""
    lines, signed = [], 0
    for told in _tickets(connection, first, last):
        signed += told["state"] == "signed"
        lines.append(json.dumps(told, ensure_ascii=False))
    archive, said = _archive_of(device)
    exported = Exported(len(lines), signed, said)
    index = {
        "format": 1,
        "tickets": exported.tickets,
        "signed": exported.signed,
        "unsigned": exported.unsigned,
        "device": said,
    }
    parts = {
        INDEX: json.dumps(index).encode(),
        TICKETS: "".join(f"{line}\n" for line in lines).encode(),
        **({DEVICE: archive} if archive is not None else {}),
    }
    _write(file, parts)
    return exported


def _tickets(
    connection: Connection, first: date | None, last: date | None
) -> Iterator[dict[str, Any]]:
    rows = connection.execute(
        select(fiscal_tickets.c.entry_id)
        .join(entries, entries.c.id == fiscal_tickets.c.entry_id)
        .order_by(entries.c.epoch, entries.c.seq)
    )
    for (entry_id,) in rows:
        ticket = fiscal_ticket(connection, EntryId(entry_id))
        assert ticket is not None
        told = _told(connection, ticket)
        day = told["business_date"] or ""
        if (first is None or day >= first.isoformat()) and (
            last is None or day <= last.isoformat()
        ):
            yield told


def _told(connection: Connection, ticket: FiscalTicket) -> dict[str, Any]:
    chained = read_chained(connection, ticket.entry_id)
    fact = read_fact(chained.envelope)
    assert isinstance(fact, Ticket)
    data = fiscal_data(fact, chained.hash)
    told: dict[str, Any] = {
        "entry": chained.envelope.id,
        "business_date": chained.envelope.business_date,
        "receipt_no": fact.receipt_no,
        "state": ticket.state,
        "failure": ticket.failure,
        "prev_hash": chained.previous_hash.hex(),
        "hash": chained.hash.hex(),
        "bytes": _text(chained.entry.encoded),
        "data": _text(data),
    }
    if ticket.recorded is None:
        return told
    record = read_fact(read_chained(connection, ticket.recorded).envelope)
    if isinstance(record, FiscalRecorded) and record.signature:
        told |= {
            "number": record.number,
            "counter": record.counter,
            "started_at": record.started_at,
            "finished_at": record.finished_at,
            "algorithm": record.algorithm,
            "signature": record.signature,
            "public_key": record.public_key,
            "signed_bytes": _text(
                signed_bytes(
                    record.number, record.counter, record.started_at, record.finished_at, data
                )
            ),
        }
    return told


def _archive_of(device: FiscalDevice | None) -> tuple[bytes | None, str]:
    if device is None:
        return None, ""
    try:
        return b"".join(device.export(deadline_s=DEVICE_DEADLINE_S)), "exported"
    except DeviceError as error:
        return None, error.condition.value


def _write(file: Path, parts: dict[str, bytes]) -> None:
    partly = file.with_name(f"{file.name}.part")
    try:
        with partly.open("wb") as opened:
            with tarfile.open(fileobj=opened, mode="w") as tar:
                for name, content in parts.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
            opened.flush()
            os.fsync(opened.fileno())
        partly.replace(file)
    finally:
        partly.unlink(missing_ok=True)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
