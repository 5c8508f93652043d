"""Which units of a sale a step means: named lines and gifts, or all that is left."""

from collections import Counter
from collections.abc import Iterator

from shared.errors import DomainError
from shared.returning.history import units_back
from shared.trade.ticket import SaleLine
from shared.workbench import later_steps as told
from shared.workbench.sold import Coming, Sold


def coming_back(
    sold: Sold, step: told.Return | told.Exchange, before: Counter[int] | None = None
) -> Coming:
    """What comes back beside what is coming already.

    Raises DomainError ``nothing-to-return``, ``line-not-in-sale``, ``bad-quantity`` and
    ``gifts-exceed-sale``.
    """
    coming = Counter(before or {})
    gone = units_back(sold.returns) + coming
    left = {
        line.line: 0 if line.comes_in else line.quantity - gone[line.line]
        for line in sold.fact.lines
    }
    for line, quantity in _lines(sold, step, left):
        coming[line] += quantity
    for line, quantity in _gifts(sold, step, left):
        coming[line] += quantity
    return Coming(sold, coming)


def _lines(
    sold: Sold, step: told.Return | told.Exchange, left: dict[int, int]
) -> Iterator[tuple[int, int]]:
    named = sold.lines
    if not step.lines:
        whole = [(line.line, left[line.line]) for line in named.values() if left[line.line]]
        # A gift that was charged may come back when all goods are back.
        if not whole and not any(step.gifts.values()):
            raise DomainError("nothing-to-return")
        yield from whole
    for one in step.lines:
        if one.line not in named:
            raise DomainError("line-not-in-sale", sale=sold.name, line=one.line)
        line = named[one.line]
        is_pieces = bool(sold.basket.lines[line.line - 1].units)
        said, other = (one.units, one.grams) if is_pieces else (one.grams, one.units)
        quantity = left[line.line] if said is None else said
        if other is not None:
            raise DomainError("bad-quantity", sku=line.goods_id, quantity=other)
        if not quantity:
            raise DomainError("nothing-to-return")
        yield line.line, quantity


def _gifts(
    sold: Sold, step: told.Return | told.Exchange, left: dict[int, int]
) -> Iterator[tuple[int, int]]:
    """Units of gifts by line: all where nothing is named, else of each article the first ones."""
    gifts: dict[str, list[SaleLine]] = {}
    for line in sold.fact.lines:
        if line.given_by:
            gifts.setdefault(line.goods_id, []).append(line)
    held = {goods: sum(left[one.line] for one in lines) for goods, lines in gifts.items()}
    wanted = step.gifts if step.lines or step.gifts else held
    for goods, units in wanted.items():
        most = held.get(goods, 0)
        if not 0 <= units <= most:
            raise DomainError("gifts-exceed-sale", goods=goods, quantity=units, left=most)
        missing = units
        for line in gifts.get(goods, []):
            part = min(missing, left[line.line])
            missing -= part
            yield line.line, part
