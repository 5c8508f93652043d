"""A till's file or log is harmed: it is noticed, and what is intact of the journal is read."""

import shutil
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlcipher3.dbapi2

from desktop.bootstrap import OpenStore
from desktop.services.checkout import Checkout
from desktop.store.database import TillFolder, unlock_connection
from desktop.store.page_cipher import PageCipher
from desktop.store.salvage import salvage
from desktop.store.sealing import seal, unlock
from desktop.store.verification import verify_till
from shared.errors import EnvironmentFault, EvertillError
from shared.language import Language, words
from tests.support.desk import BISCUIT_CODE, Desk, new_folder, open_desk
from tests.support.enrolled_till import APPLES, CASHIER
from tests.support.scratch import scratch_folder
from tests.torture.damage.harm import PAGE, harmed

JUDGED: Final = ("entries", "postings", "balances")
"""What ``verify`` recomputes; the rest comes again from the server or is rebuilt."""
LOG: Final = "till.sqlite-wal"
FILE: Final = "till.sqlite"


@dataclass(frozen=True)
class Truth:
    """An entry as it was written: what stands before it, and its bytes."""

    head: bytes
    encoded: bytes

    @property
    def whole(self) -> bytes:
        """As it lies in a row."""
        return self.head + self.encoded


@dataclass(frozen=True)
class Sound:
    """A till's folder before anything happens to it."""

    folder: Path
    entries: dict[int, Truth]
    witnesses: dict[int, list[bytes]]
    """Bytes of the files, for each entry that lies in one page: while one of them is anywhere, the
    entry is intact."""
    tables: dict[str, list[tuple[Any, ...]]]


def make_sound(root: Path, *, seals: bool = False) -> Sound:
    """A till that has sold; some of it is in the file, some only in the log."""
    folder = new_folder(root / "selling")
    if seals:
        seal(folder)
    desk = open_desk(folder)
    member = desk.enrol()
    for number in range(30):
        desk.sell(*[BISCUIT_CODE] * (1 + number % 3), member=member)
    _sell_a_trolley(desk)
    desk.till.store.writer.scrub().result()
    for number in range(15):
        desk.sell(*[BISCUIT_CODE] * (1 + number % 2), member=member)
    _sell_a_trolley(desk)
    to = Path(shutil.copytree(folder.path, root / "sound"))
    (to / "till.sqlite-shm").unlink()
    desk.till.close()
    with closing(connected(folder)) as connection:
        entries = {
            seq: Truth(previous + digest, encoded)
            for seq, previous, digest, encoded in connection.execute(
                "SELECT seq, previous_hash, hash, bytes FROM entries"
            )
        }
    key = unlock(folder).key
    return Sound(
        to,
        entries,
        _plain_witnesses(entries) if key is None else _witnesses(entries, to, key.pages),
        _tables(folder),
    )


def _plain_witnesses(entries: dict[int, Truth]) -> dict[int, list[bytes]]:
    return {seq: [truth.whole] for seq, truth in entries.items()}


def _witnesses(entries: dict[int, Truth], folder: Path, key: bytes) -> dict[int, list[bytes]]:
    """The encrypted blocks of each entry, and the one before them, wherever it was written."""
    found: dict[int, list[bytes]] = {seq: [] for seq in entries}
    cipher = PageCipher(key)
    for name, start, header in ((FILE, 0, 0), (LOG, 32, 24)):
        content = (folder / name).read_bytes()
        for at in range(start + header, len(content), header + PAGE):
            page = content[at : at + PAGE]
            clear = cipher.clear(page)
            for seq, truth in entries.items():
                place = clear.find(truth.whole)
                if place >= 0:
                    begins = place // 16 * 16 - 16
                    assert begins >= 0
                    found[seq].append(page[begins : -(-(place + len(truth.whole)) // 16) * 16])
    in_one_page = [seq for seq, truth in entries.items() if len(truth.whole) < PAGE // 2]
    assert all(found[seq] for seq in in_one_page)
    return found


def _sell_a_trolley(desk: Desk) -> None:
    """So many lines that the entry goes on in other pages."""
    checkout: Checkout = desk.counter.checkout
    for number in range(24):
        checkout.basket.add(APPLES, grams=500 + number)
    checkout.tender_cash()
    checkout.finish(desk.shift, CASHIER)


def play(sound: Sound, file: str, seed: object) -> Counter[str]:
    """Harm one file; what came of it, counted. Raises what does not hold."""
    root = scratch_folder()
    try:
        before = (sound.folder / file).read_bytes()
        after = harmed(before, f"{file} {seed}")
        folder = TillFolder(Path(shutil.copytree(sound.folder, root / "till")))
        (folder.path / file).write_bytes(after)
        tally = _check_salvage(sound, folder, file, after)
        tally[_check_noticed(sound, folder, root)] += 1
        return tally
    finally:
        shutil.rmtree(root)


def _check_salvage(sound: Sound, folder: TillFolder, file: str, after: bytes) -> Counter[str]:
    files = {name: (sound.folder / name).read_bytes() for name in (FILE, LOG)} | {file: after}
    before = {path.name: path.read_bytes() for path in folder.path.iterdir() if path.is_file()}
    found = salvage(folder)
    assert before == {
        path.name: path.read_bytes() for path in folder.path.iterdir() if path.is_file()
    }, "salvage changes nothing"
    kept = found.epochs[0].entries if found.epochs else {}
    for seq, one in kept.items():
        assert one.entry.encoded == sound.entries[seq].encoded, "an entry that never was"
    intact = {
        seq
        for seq, witnesses in sound.witnesses.items()
        if any(one in content for one in witnesses for content in files.values())
    }
    assert intact <= set(kept), f"intact and not salvaged: {sorted(intact - set(kept))}"
    gone = set(sound.entries) - set(kept)
    counted = (
        {seq for first, last in found.epochs[0].lost for seq in range(first, last + 1)}
        if found.epochs
        else gone
    )
    assert counted == gone
    return Counter(kept=len(kept), lost=len(gone))


def _check_noticed(sound: Sound, folder: TillFolder, root: Path) -> str:
    """Damage to what was sold is told by opening or by ``verify``, in words."""
    image = TillFolder(Path(shutil.copytree(folder.path, root / "image")))
    try:
        OpenStore(folder).close()
    except EvertillError as error:
        _check_words(error)
        return "not opened"
    is_same = _tables(image) == sound.tables
    try:
        report = verify_till(folder)
    except EvertillError as error:
        _check_words(error)
        return "verify refused"
    if not report.is_clean:
        return "verify found it"
    assert is_same, "damage that nobody noticed"
    _sell_on(folder)
    return "harmless"


def _sell_on(folder: TillFolder) -> None:
    try:
        desk = open_desk(folder)
    except EvertillError as error:
        _check_words(error)
        return
    try:
        desk.sell(BISCUIT_CODE)
    except EvertillError as error:
        _check_words(error)
    finally:
        desk.till.close()


def _check_words(error: EvertillError) -> None:
    assert isinstance(error, EnvironmentFault), error
    for language in Language:
        said = words(language).error(error)
        assert said
        assert "{" not in said


def connected(folder: TillFolder, database: Path | None = None) -> Any:
    """A connection to its database, or to another one, with its key."""
    connection = sqlcipher3.dbapi2.connect(str(database or folder.database))
    key = unlock(folder).key
    if key is not None:
        unlock_connection(connection, key)
    return connection


def _tables(folder: TillFolder) -> dict[str, list[tuple[Any, ...]]]:
    with closing(connected(folder)) as connection:
        try:
            return {
                table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
                for table in JUDGED
            }
        except sqlcipher3.dbapi2.DatabaseError:
            return {}
