"""Sets a document in columns. Every line it gives fits the paper, whatever the text says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from shared.receipt.document import (
    Align,
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
    RuleKind,
    Style,
    Table,
    Text,
)
from shared.receipt.text import Measure, gb18030_cells, on_screen, printable, wrap

COLUMNS_MIN = 16
WIDE_COLUMNS = 42
"""From here on name, quantity and amount of goods share a line."""
COLUMN_GAP = 1
CONTINUATION_INDENT = 2
AMOUNT_CELLS = 10
"""Where quantities end on wide paper: before amounts up to 99,999.99."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of paper: its characters, style and place; never wider than the columns."""

    text: str
    style: Style = Style.NORMAL
    align: Align = Align.LEFT


Piece = Line | Logo | Barcode | Qr | Feed | Cut
"""What remains of a document after layout: rows of text, and what only a device can draw."""


@dataclass(frozen=True, slots=True)
class Grid:
    """So many columns, the measure of what fills them, and the characters that rule a line."""

    columns: int
    measure: Measure = gb18030_cells
    thin: str = "─"
    heavy: str = "━"

    def __post_init__(self) -> None:
        assert self.columns >= COLUMNS_MIN

    def fill(self, left: str, right: str, columns: int = 0) -> str:
        """Both texts on one full line, spaces between; or on the first so many columns of it."""
        room = (columns or self.columns) - self.measure(left) - self.measure(right)
        return left + " " * room + right


def lay_out(document: Document, grid: Grid) -> tuple[Piece, ...]:
    """Rows and graphics of a document, top to bottom."""
    return tuple(piece for block in document.blocks for piece in _set_block(block, grid))


def plain_text(document: Document, grid: Grid) -> str:
    """The document as text: for the screen, for files and for eyes; graphics in brackets."""
    pieces = (piece for piece in lay_out(document, grid) if not isinstance(piece, Logo))
    return "\n".join(_plain(piece, grid) for piece in pieces) + "\n"


def _plain(piece: Line | Barcode | Qr | Feed | Cut, grid: Grid) -> str:
    match piece:
        case Line():
            return on_screen(placed(piece, grid)).rstrip(" ")
        case Barcode(digits):
            return placed(Line(f"[{digits}]", align=Align.CENTER), grid)
        case Qr(data):
            return "\n".join(wrap(f"[{printable(data)}]", grid.columns, grid.measure))
        case Feed(rows):
            return "\n" * (rows - 1)
        case Cut():
            return "- " * (grid.columns // 2)
        case never:
            assert_never(never)


def placed(line: Line, grid: Grid) -> str:
    """The characters of a row with the spaces that bring it to its place."""
    free = grid.columns - grid.measure(line.text)
    share = {Align.LEFT: 0, Align.CENTER: free // 2, Align.RIGHT: free}[line.align]
    return " " * share + line.text


def _set_block(block: Block, grid: Grid) -> Iterable[Piece]:
    match block:
        case Text():
            return _set_text(block, grid)
        case Heading(text):
            return _set_text(Text(text, Align.CENTER, Style.LARGE), grid)
        case Pair():
            return _set_pair(block, grid)
        case Item():
            return _set_item(block, grid)
        case Table():
            return _set_table(block, grid)
        case Rule() | Logo() | Barcode() | Qr() | Feed() | Cut():
            return [_rule(block, grid) if isinstance(block, Rule) else block]
        case never:
            assert_never(never)


def _rule(block: Rule, grid: Grid) -> Line:
    character = grid.heavy if block.kind is RuleKind.HEAVY else grid.thin
    return Line(character * (grid.columns // grid.measure(character)))


def _set_text(block: Text, grid: Grid) -> list[Piece]:
    width = grid.columns // block.style.width_factor - block.indent
    text = printable(block.text)
    rows = wrap(text, width, grid.measure)
    if block.align is Align.CENTER and len(rows) > 1:
        rows = _balanced(text, width, len(rows), grid)
    return [Line(" " * block.indent + row, block.style, block.align) for row in rows]


def _balanced(text: str, width: int, count: int, grid: Grid) -> list[str]:
    """As many lines as needed, evenly long: a centred text has no short last line."""
    rows = wrap(text, width, grid.measure)
    for narrower in range(width - 1, width // 2, -1):
        tried = wrap(text, narrower, grid.measure)
        if len(tried) > count:
            break
        rows = tried
    return rows


def _set_pair(block: Pair, grid: Grid) -> list[Piece]:
    """The figure stands at the end of the last line; a figure too wide to share gets its own."""
    if block.style is Style.LARGE and not _shares_a_line(block, grid):
        block = replace(block, style=Style.TALL)
    factor = block.style.width_factor
    inner = Grid(grid.columns // factor, grid.measure)
    left, right = printable(block.left), printable(block.right)
    room = inner.columns - block.indent
    shared = room - grid.measure(right) - COLUMN_GAP
    apart = shared < 2 or (grid.measure(left) > shared and shared < room // 3)
    rows = wrap(left, room if apart else shared, grid.measure)
    indented = [" " * block.indent + row for row in rows]
    if apart:
        figures = wrap(right, room, grid.measure)
        return [
            *(Line(row, block.style) for row in indented if left),
            *(Line(row, block.style, Align.RIGHT) for row in figures),
        ]
    last = inner.fill(indented[-1], right)
    return [Line(row, block.style) for row in [*indented[:-1], last]]


def _shares_a_line(block: Pair, grid: Grid) -> bool:
    text = " " * (block.indent + COLUMN_GAP) + printable(block.left) + printable(block.right)
    return grid.measure(text) * block.style.width_factor <= grid.columns


def _set_item(block: Item, grid: Grid) -> list[Piece]:
    """Wide paper: three columns. Narrow paper: the name, then quantity and amount below it."""
    name, detail, amount = printable(block.name), printable(block.detail), printable(block.amount)
    detail_end = grid.columns - max(AMOUNT_CELLS, grid.measure(amount) + COLUMN_GAP)
    room = detail_end - grid.measure(detail) - COLUMN_GAP
    if grid.columns >= WIDE_COLUMNS and room >= grid.columns // 3:
        first, *more = wrap(name, room, grid.measure)
        to_detail = grid.fill(first, detail, detail_end)
        return [Line(grid.fill(to_detail, amount)), *map(Line, more)]
    if not detail:
        return _set_pair(Pair(name, amount), grid)
    rows: list[Piece] = [Line(row) for row in wrap(name, grid.columns, grid.measure)]
    return rows + _set_pair(Pair(detail, amount, indent=CONTINUATION_INDENT), grid)


def _set_table(block: Table, grid: Grid) -> list[Piece]:
    rows = [tuple(map(printable, row)) for row in block.rows]
    widths = [max(map(grid.measure, column)) for column in zip(*rows, strict=True)]
    spare = grid.columns - sum(widths)
    if spare < COLUMN_GAP * (len(widths) - 1):
        return [piece for row in rows for piece in _stack(row, grid)]
    return [Line(_table_row(row, widths, grid)) for row in rows]


def _table_row(row: tuple[str, ...], widths: list[int], grid: Grid) -> str:
    """Free space is shared between the columns, so that tables fill the paper."""
    spare = grid.columns - sum(widths)
    gaps = len(widths) - 1
    text = row[0] + " " * (widths[0] - grid.measure(row[0]))
    for index, (cell, width) in enumerate(zip(row[1:], widths[1:], strict=True)):
        gap = spare // gaps + (1 if index < spare % gaps else 0)
        text += " " * (gap + width - grid.measure(cell)) + cell
    return text


def _stack(row: tuple[str, ...], grid: Grid) -> list[Piece]:
    """A row of a table too wide for the paper: its name, then its figures."""
    return _set_pair(Pair(row[0], " ".join(cell for cell in row[1:] if cell)), grid)
