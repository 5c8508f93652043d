"""Batches of goods: which of them may be sold no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Goods that were made together; none are sold after the last day, or once recalled."""

    batch: str
    last_day: date | None = None
    is_recalled: bool = False


def check_batch(sku: str, batches: Sequence[Batch], batch: str, today: date) -> None:
    """Whether goods may be sold; ``batch`` is empty where nobody knows which one they are from.

    A batch that is not on the list was never recalled. Goods of which every listed batch is gone
    are sold only where it is said that they are from another.

    Raises DomainError ``batch-recalled`` and ``batch-lapsed``.
    """
    meant = [one for one in batches if batch in ("", one.batch)]
    against = [reason for one in meant if (reason := _against(sku, one, today))]
    if against and len(against) == len(meant):
        raise against[0]


def _against(sku: str, batch: Batch, today: date) -> DomainError | None:
    if batch.is_recalled:
        return DomainError("batch-recalled", goods=sku, batch=batch.batch)
    if batch.last_day is not None and today > batch.last_day:
        on = batch.last_day.isoformat()
        return DomainError("batch-lapsed", goods=sku, batch=batch.batch, on=on)
    return None
