"""From a scan to the priced, then to the painted line, on 100,000 goods and 1,000,000 members.

Against the limit of one frame (16 ms).
"""

import random
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from desktop.store import catalogue, members
from desktop.store.member_keys import name_keys
from desktop.store.schema import member_keys, member_search
from desktop.store.schema import members as member_table
from desktop.store.writer import Transaction
from shared.catalogue.goods import Goods
from shared.ids import GoodsId
from shared.trade.profile import KeyKind, lookup_hash
from tests.bench.painting import painted_scans
from tests.bench.timing import percentile
from tests.support.enrolled_till import enrol_locally, goods_row, open_till

GOODS = 100_000
MEMBERS = 1_000_000
SCANS = 2000
BASKET_LINES = 30
FRAME_MS = 16.0
CHUNK = 20_000


def ean13(number: int) -> str:
    """A GTIN of China's range with its check digit."""
    body = f"69{number:010d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def run() -> dict[str, Any]:
    """Fill a till, then scan goods and look members up."""
    draw = random.Random(1)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = enrol_locally(Path(folder) / "till")
        till = open_till(path)
        _fill(till)
        counter = till.counter()
        scans, cards, names, parts = [], [], [], []
        for number in range(SCANS):
            code = ean13(draw.randrange(GOODS))
            began = time.perf_counter()
            counter.scanning.scan(code)
            scans.append(time.perf_counter() - began)
            if number % BASKET_LINES == BASKET_LINES - 1:
                counter.checkout.clear()
        for _ in range(SCANS):
            phone = f"138{draw.randrange(MEMBERS):08d}"
            began = time.perf_counter()
            assert till.members.by_phone(phone)
            cards.append(time.perf_counter() - began)
        for text in ("王小", "小", "商品0123", "sp99", "0500"):
            for _ in range(20):
                with till.store.reading.connect() as connection:
                    began = time.perf_counter()
                    members.search(connection, text, limit=20)
                    names.append(time.perf_counter() - began)
                    began = time.perf_counter()
                    catalogue.search(connection, text, limit=50)
                    parts.append(time.perf_counter() - began)
        size = path.database.stat().st_size
        till.close()
        codes = [ean13(draw.randrange(GOODS)) for _ in range(SCANS)]
        painted = painted_scans(path.path, codes, basket_lines=BASKET_LINES)
    p99 = percentile(scans, 0.99) * 1000
    painted_p99 = percentile(painted, 0.99) * 1000
    return {
        "goods": GOODS,
        "members": MEMBERS,
        "basket_lines_up_to": BASKET_LINES,
        "scan_to_line_p50_ms": percentile(scans, 0.5) * 1000,
        "scan_to_line_p99_ms": p99,
        "scan_to_painted_line_p50_ms": percentile(painted, 0.5) * 1000,
        "scan_to_painted_line_p99_ms": painted_p99,
        "share_of_a_frame_p99": painted_p99 / FRAME_MS,
        "member_by_phone_p99_ms": percentile(cards, 0.99) * 1000,
        "member_search_p99_ms": percentile(names, 0.99) * 1000,
        "goods_search_p99_ms": percentile(parts, 0.99) * 1000,
        "database_mb": size / 1e6,
    }


def _fill(till: Any) -> None:
    for start in range(0, GOODS, CHUNK):
        rows = [
            goods_row(
                Goods(
                    sku=GoodsId(f"S{number:06d}"),
                    name_zh=f"商品{number:06d}号",
                    name_en=f"Article {number:06d}",
                    tax_class="standard",
                    list_price_minor=100 + number % 9900,
                    category="snacks",
                    barcodes=(ean13(number),),
                )
            )
            for number in range(start, start + CHUNK)
        ]

        def put(transaction: Transaction, rows: Any = rows) -> None:
            for part in range(0, len(rows), 500):
                catalogue.apply_goods(transaction.connection, rows[part : part + 500])

        till.store.writer.run(put)
    for start in range(0, MEMBERS, CHUNK):
        till.store.writer.run(lambda transaction, start=start: _members(till, transaction, start))


def _members(till: Any, transaction: Transaction, start: int) -> None:
    """Rows straight into the tables: a million times through the pull is another figure."""
    key = till.identity.lookup_key
    numbers = range(start, start + CHUNK)
    names = {n: f"{'王李张刘陈'[n % 5]}{'小大文'[n % 3]}{n % 1000}" for n in numbers}
    connection = transaction.connection
    connection.execute(
        insert(member_table),
        [
            {
                "member_id": f"m{n}",
                "name": names[n],
                "phone_tail": f"{n % 10000:04d}",
                "card_tail": "",
                "tier": "member",
                "applied_epoch": 1,
                "applied_through": 0,
                "balance_as_of": "2026-03-01T00:00:00.000+00:00",
            }
            for n in numbers
        ],
    )
    connection.execute(
        insert(member_keys),
        [
            {"key": lookup_hash(key, KeyKind.PHONE, f"138{n:08d}"), "member_id": f"m{n}"}
            for n in numbers
        ],
    )
    connection.execute(
        insert(member_search),
        [{"key": part, "member_id": f"m{n}"} for n in numbers for part in name_keys(names[n])],
    )
