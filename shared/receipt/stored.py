"""A document as plain data and back: for papers that wait in a file with no fact behind them."""

from typing import Any, Final

import msgspec

from shared.receipt.document import (
    Barcode,
    Block,
    Cut,
    Document,
    Feed,
    Heading,
    Item,
    Logo,
    Pair,
    Qr,
    Rule,
    Table,
    Text,
)

_KINDS: Final[dict[str, type[Block]]] = {
    kind.__name__.lower(): kind
    for kind in (Logo, Text, Heading, Pair, Item, Table, Rule, Barcode, Qr, Feed, Cut)
}

StoredBlock = tuple[str, dict[str, Any]]
"""The kind of a block and its fields, as JSON has them."""


def stored(document: Document) -> tuple[StoredBlock, ...]:
    """Each block by its kind."""
    return tuple(
        (type(block).__name__.lower(), msgspec.to_builtins(block)) for block in document.blocks
    )


def restored(blocks: tuple[StoredBlock, ...]) -> Document:
    """The document again; msgspec.ValidationError or KeyError for what ``stored`` never wrote."""
    return Document(tuple(msgspec.convert(told, _KINDS[kind]) for kind, told in blocks))
