"""A fixed part of the random corruptions, and the command that reads what is left."""

import json

import pytest
from sqlalchemy import select

from desktop.store.database import TillFolder
from desktop.store.salvage import salvage
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.command_line import run_evertill
from tests.support.little_chain import LittleChain
from tests.torture.damage import snapshots, till_files
from tests.torture.damage.batches import pushing
from tests.torture.stage import BISCUIT


@pytest.mark.xdist_group("torture")
@pytest.mark.parametrize("file", [till_files.FILE, till_files.LOG])
def test_damage_is_noticed_and_every_entry_that_is_intact_is_read(sound, file):
    # 94 and 39: a schema that is no text any more, an epoch's number that was altered.
    for seed in (*range(12), 39, 94):
        till_files.play(sound, file, seed)


@pytest.mark.xdist_group("torture")
@pytest.mark.parametrize("file", [till_files.FILE, till_files.LOG])
def test_of_an_encrypted_till_too(sealed_sound, file):
    for seed in range(4):
        till_files.play(sealed_sound, file, seed)


@pytest.mark.xdist_group("torture")
@pytest.mark.parametrize("kind", ["sound", "sealed_sound"])
def test_an_entry_that_goes_on_in_other_pages_is_read(kind, request):
    sound = request.getfixturevalue(kind)
    longest = max(len(truth.encoded) for truth in sound.entries.values())
    assert longest > 4096
    found = salvage(TillFolder(sound.folder))
    assert (found.kept, found.lost) == (len(sound.entries), 0)


@pytest.mark.xdist_group("torture")
def test_a_file_of_members_that_is_harmed_is_not_taken(stage):
    outcomes = [snapshots.play(stage, seed) for seed in range(6)]
    assert "refused" in outcomes


@pytest.mark.xdist_group("torture")
def test_a_push_that_is_harmed_books_nothing_else(tmp_path):
    with pushing(tmp_path / "server") as made:
        outcomes = {made.play(seed) for seed in range(20)}
    assert outcomes - {"status 200"}


@pytest.mark.xdist_group("torture")
def test_what_was_salvaged_is_sent_and_the_rest_is_a_hole_that_is_counted(
    tmp_path, monkeypatch, capsys
):
    with LittleChain(tmp_path, tills=1) as chain:
        here = chain.tills[0]
        here.sell(BISCUIT)
        chain.drain()
        for _ in range(6):
            here.sell(BISCUIT)
        late = here.enrol("韩梅梅", phone="13900139000")
        here.sell(BISCUIT, member=late)
        here.till.close()
        whole = salvage(here.folder)
        lost = max(whole.epochs[0].entries) - 4
        gone = whole.epochs[0].entries[lost].entry.encoded
        content = here.folder.database.read_bytes()
        assert gone in content
        here.folder.database.write_bytes(content.replace(gone, bytes(len(gone))))
        data = ("--data", str(here.folder.path))

        done = run_evertill(monkeypatch, capsys, "salvage", *data, "--send", "--json")
        told = json.loads(done.out)
        again = run_evertill(monkeypatch, capsys, "salvage", *data, "--language", "zh_CN")

        assert (done.code, again.code) == (1, 1)
        assert (told["lost"], told["epochs"][0]["lost"]) == (1, [[lost, lost]])
        assert told["kept"] == whole.kept - 1
        assert "丢失 1 条记录" in again.out
        assert chain.server.accepted()[whole.epochs[0].journal] == whole.kept - 1
        with chain.server.services.database.reading() as snapshot:
            report = audit(snapshot)
            names = set(snapshot.connection.execute(select(schema.members.c.name)).scalars())
        assert (report.flaws, len(report.holes)) == ([], 1)
        assert "韩梅梅" in names
        chain.tills.clear()
