"""A prize draw: tills sell entries, the server draws, and HMAC and SHA-256 alone check it."""

import hashlib
import hmac
import json
import sys

import msgspec
import pytest

from desktop.reckoning.file import read_server
from desktop.services.stored_value import By
from shared.errors import DomainError
from shared.loyalty.bundle import programme_bytes, template
from shared.loyalty.engagement import Action
from sync_server.commands.application import main
from sync_server.members.merging import Verified
from tests.pricing_builders import names
from tests.support.benefits import SPRING
from tests.support.enrolled_till import START
from tests.support.little_chain import LittleChain

SEED = "seventeen geese over the lake"
CLOSES = START.replace(tzinfo=None, hour=23, minute=59)
RULE = msgspec.structs.replace(
    SPRING,
    closes=CLOSES,
    per_member=0,
    seed_sha256=hashlib.sha256(SEED.encode()).hexdigest(),
)
RULES = msgspec.structs.replace(
    template("default"),
    actions=(Action(id="gift", names=names("gift"), points=300),),
    draws=(RULE,),
)
TWO_DAYS_S = 2 * 24 * 3600


def take_part(till, member, entries: int) -> None:
    by, pricing = By(till.shift, till.operator_id), till.till.pricing()
    till.counter.benefits.count_action(pricing, till.member(member.member_id), "gift", by)
    known = till.member(member.member_id)
    till.counter.benefits.enter_draw(pricing, known, RULE.id, entries, by)


def test_entries_of_all_tills_take_part_and_the_winner_can_be_checked(tmp_path):
    with LittleChain(tmp_path, programme=RULES) as chain:
        here, there = chain.tills
        li, han = (
            here.enrol("李雷", phone="13800138000"),
            there.enrol("韩梅梅", phone="13900139000"),
        )
        take_part(here, li, 2)
        take_part(there, han, 3)
        chain.drain()
        draws = chain.server.services.draws
        with pytest.raises(DomainError, match="draw-still-open"):
            draws.run(RULE.id, SEED)
        for changed in ((), (msgspec.structs.replace(RULE, seed_sha256="cd" * 32),)):
            other = msgspec.structs.replace(RULES, draws=changed)
            with pytest.raises(DomainError, match="draw-promised"):
                chain.server.services.programme.publish(programme_bytes(other))
        # Two enrolments that turn out to be one have no more entries than before.
        merge = chain.server.services.merging.merge(
            li.member_id, han.member_id, verified=Verified.OFFICE
        )
        assert len(draws.states()[0].entries) == 5
        chain.server.services.merging.unmerge(merge)
        chain.server.services.merging.merge(li.member_id, han.member_id, verified=Verified.OFFICE)
        chain.clock.advance(seconds=TWO_DAYS_S)
        assert len(draws.unheard(RULE.id)) == 2
        chain.drain()
        assert draws.unheard(RULE.id) == []
        with pytest.raises(DomainError, match="draw-seed-wrong"):
            draws.run(RULE.id, "another")
        (before,) = draws.states()
        assert (len(before.entries), before.wins) == (5, None)
        after = draws.run(RULE.id, SEED)
        (win,) = after.wins
        tickets = {
            entry: hmac.new(
                SEED.encode(), f"{RULE.id}\0{entry}".encode(), hashlib.sha256
            ).hexdigest()
            for entry in before.entries
        }
        assert win.entry == min(tickets, key=tickets.__getitem__)
        assert win.member_id == han.member_id
        with pytest.raises(DomainError, match="draw-was-run"):
            draws.run(RULE.id, SEED)
        chain.drain()
        assert chain.reckon().differences == []


def test_what_arrives_after_the_run_is_counted_as_late(tmp_path, monkeypatch, capsys):
    with LittleChain(tmp_path, programme=RULES) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        take_part(here, li, 1)
        here.sync()
        han = there.enrol("韩梅梅", phone="13900139000")
        take_part(there, han, 2)
        chain.clock.advance(seconds=TWO_DAYS_S)
        assert chain.server.services.draws.unheard(RULE.id) != []
        assert len(chain.server.services.draws.run(RULE.id, SEED).entries) == 1
        chain.drain()
        (state,) = chain.server.services.draws.states()
        assert (len(state.entries), state.late) == (1, 2)
        folder = chain.server.folder
        chain.server.stop()
        capsys.readouterr()
        arguments = ["evertill-server", "draws", "list", "--json", "--data", str(folder)]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as done:
            main()
        assert done.value.code in (0, None)
        (told,) = json.loads(capsys.readouterr().out)
        assert (len(told["entries"]), told["late"], len(told["wins"])) == (1, 2, 1)
        chain.server.start()


def test_what_two_tills_without_a_network_allow_twice_is_told_to_head_office(tmp_path):
    once = msgspec.structs.replace(
        RULES,
        actions=(msgspec.structs.replace(RULES.actions[0], per_member=1),),
        draws=(msgspec.structs.replace(RULE, per_member=2),),
    )
    with LittleChain(tmp_path, programme=once) as chain:
        li = chain.tills[0].enrol("李雷", phone="13800138000")
        chain.drain()
        for till in chain.tills:
            take_part(till, li, 2)
        chain.drain()
        outcome = chain.server.services.benefits_audit.run()
        assert (outcome.judged, outcome.different) == (4, 2)
        told = [
            (one["account"], one["amount"])
            for entry in read_server(chain.server.database).entries()
            if entry.told["body"].get("rule") == "benefit-otherwise"
            for one in entry.told["body"]["effects"]
        ]
        assert sorted(told) == [("draw-entry", 2), ("points", 300)]
        assert chain.server.services.benefits_audit.run().judged == 0
