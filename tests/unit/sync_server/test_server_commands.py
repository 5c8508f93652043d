"""The command line: what each command prints, and how it fails."""

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import httpx
import msgspec
import pytest

from shared.clock import ManualClock
from shared.language import Language, words
from shared.loyalty.bundle import programme_bytes, template
from shared.loyalty.coupon_code import coupon_of_code
from shared.loyalty.programme import Expiry
from shared.trade.profile import MemberProfile
from sync_server.api.errors import STATUS
from sync_server.bootstrap import open_services
from sync_server.catalogue.goods import articles
from sync_server.commands import main
from sync_server.web.reading import OfficeReader
from tests.support.partners import CINEMA
from tests.support.servers import serve_here, server_process
from tests.support.till_writer import START, Line


class Done(NamedTuple):
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


class Run(Protocol):
    """Runs a command on a data folder."""

    def __call__(self, command: str, folder: Path, *rest: str, stdin: str = "") -> Done: ...


SEED = {
    "stores": [
        {"name": "东门店", "tills": [{"name": "收银台一"}, {"name": "收银台二"}]},
        {"name": "西门店", "tills": [{"name": "收银台一"}]},
    ],
    "operators": [{"name": "王芳", "pin": "4711", "role": "manager"}],
    "users": [{"login": "office", "password": "a long password"}],
    "goods": [
        {
            "sku": "T1",
            "name_zh": "茶",
            "name_en": "Tea",
            "tax_class": "standard",
            "list_price_minor": 1250,
        }
    ],
}


def test_one_document_sets_a_server_up_and_its_codes_enrol_tills(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert run("init", folder).returncode == 0
    document = {**SEED, "programme": json.loads(programme_bytes(template("default")))}

    sown = json.loads(run("seed", folder, "-", stdin=json.dumps(document)).stdout)

    assert [store["name"] for store in sown["stores"]] == ["东门店", "西门店"]
    assert (sown["programme_version"], sown["goods"]) == (1, 1)
    with server_process(folder) as address, httpx.Client(base_url=address) as client:
        assert json.loads((folder / "address.json").read_text())["url"] == address
        for store in sown["stores"]:
            for till in store["tills"]:
                enrolled = Line(client).enrol(till["code"])
                assert enrolled.certificate.till_number == till["number"]
                enrolled.sell(100)
                Line(client).push(enrolled)
    verified = run("verify", folder, "--json")
    assert verified.returncode == 0
    assert json.loads(verified.stdout)["is_clean"]


def test_single_steps_do_the_same(run: Run, folder: Path) -> None:
    store = run("store", folder, "add", "East").stdout.strip()
    till = run("till", folder, "add", store, "Till 1").stdout.strip()

    assert len(run("till", folder, "code", till).stdout.strip()) == 19
    assert run("operator", folder, "add", "Wang", "--pin", "1234").returncode == 0
    assert run("user", folder, "add", "boss", "--password", "long enough").returncode == 0
    (listed,) = json.loads(run("store", folder, "list", "--json").stdout)
    assert (listed["store"], listed["till_id"], listed["enrolled"]) == ("East", till, False)


def test_issued_coupon_codes_claim_their_coupon_at_a_till(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    programme = tmp_path / "programme.json"
    programme.write_bytes(programme_bytes(template("default")))
    assert run("programme", folder, "publish", str(programme)).returncode == 0
    codes = run("coupon", folder, "issue", "ten-off-fifty", "--count", "50").stdout.split()
    assert len(set(codes)) == 50
    with open_services(folder) as services:
        key = services.vault.lookup
    for code in codes:
        claimed = coupon_of_code(key, code, template("default").coupons)
        assert claimed is not None
        assert claimed.id == "ten-off-fifty"


def test_members_are_put_into_segments_and_taken_out_by_a_file(run: Run, folder: Path) -> None:
    with serve_here(folder, clock=ManualClock(START)) as server:
        till = server.enrol_till()
        members = [till.enrol_member(MemberProfile(name=name)) for name in ("Li", "Han")]
        server.line.push(till)
    both = "\n".join(["", f"  {members[0]} ", *members, ""])
    assert run("segment", folder, "add", "young", "-", stdin=both).stdout == "2\n"
    assert run("segment", folder, "add", "young", "-", stdin=both).stdout == "0\n"
    assert run("segment", folder, "remove", "young", "-", stdin=members[1]).stdout == "1\n"
    with serve_here(folder, clock=ManualClock(START)) as server:
        reader = OfficeReader(server.services.database)
        found = {
            one.name: one.segments
            for one in reader.members("", 1, server.services.clock.now()).items
        }
        page = server.services.segments
        assert page.take_out("young", members) == 1
    assert found == {"Li": ("young",), "Han": ()}


def test_a_tier_is_set_and_ended_and_reminders_are_written(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.json"
    expiry = Expiry(months=12, reminders_days=(30,))
    rules.write_bytes(programme_bytes(msgspec.structs.replace(template("default"), expiry=expiry)))
    assert run("programme", folder, "publish", str(rules)).returncode == 0
    with serve_here(folder, clock=ManualClock(START)) as server:
        till = server.enrol_till()
        li = till.enrol_member(MemberProfile(name="Li", phone="13800138000"))
        till.sell(5_00, member=li, earned=5, expires_on="2026-04-01")
        server.line.push(till)
    set_ = run("members", folder, "tier", li, "gold", "--until", "2099-12-31", "--json")
    assert json.loads(set_.stdout) == {"member": li, "tier": "gold", "until": "2099-12-31"}
    wrong = run("members", folder, "tier", li, "platinum", "--until", "2099-12-31")
    assert wrong.returncode == 2
    assert "It has: member, silver, gold" in wrong.stderr
    with serve_here(folder, clock=ManualClock(START)) as server:
        shown = OfficeReader(server.services.database).member(li, server.services.clock.now())
        assert shown is not None
        assert (shown.tier, shown.tier_until) == ("gold", "2099-12-31")
    assert json.loads(run("members", folder, "tier-end", li, "--json").stdout)["ended"] is True
    assert "No tier was set" in run("members", folder, "tier-end", li).stdout
    file = tmp_path / "remind.csv"
    told = run("reminders", folder, str(file), "--on", "2026-03-02", "--json")
    assert json.loads(told.stdout) == {"on": "2026-03-02", "reminders": 1}
    assert file.read_text(encoding="utf-8").splitlines()[1].split(",")[:3] == [
        li,
        "Li",
        "13800138000",
    ]
    assert file.stat().st_mode & 0o077 == 0


def test_a_partners_sales_are_booked_and_settled(run: Run, folder: Path, tmp_path: Path) -> None:
    rules = tmp_path / "programme.json"
    rules.write_bytes(
        programme_bytes(msgspec.structs.replace(template("default"), partners=(CINEMA,)))
    )
    assert run("programme", folder, "publish", str(rules)).returncode == 0
    with serve_here(folder, clock=ManualClock(START)) as server:
        till = server.enrol_till()
        member = till.enrol_member(MemberProfile(name="Li"))
        server.line.push(till)
    day = datetime.now(UTC).date().isoformat()
    file = f"reference,day,member,spend\nA1,{day},{member},20.00\nA2,{day},X,1\n"
    done = run("partners", folder, "import", "cinema", "-", "--json", stdin=file)
    told = json.loads(done.stdout)
    assert (done.returncode, told["booked"], told["repeated"]) == (1, 1, 0)
    assert (told["refused"][0]["line"], told["refused"][0]["code"]) == (3, "partner-member-unknown")
    said = run("partners", folder, "import", "cinema", "-", stdin=file)
    assert "0 booked, 1 booked before" in said.stdout
    assert "line 3, A2: No member has this card" in said.stderr.replace("\n", " ")
    days = ("--from", day, "--to", day)
    (settled,) = json.loads(run("partners", folder, "statement", "cinema", *days, "--json").stdout)
    assert (settled["points"], settled["owed_minor"], settled["settlement_minor"]) == (10, 9, 9)


def test_a_batch_is_called_back_and_allowed_again(run: Run, folder: Path) -> None:
    goods = json.dumps(SEED["goods"])
    assert run("catalogue", folder, "import", "-", stdin=goods).stdout == "1\n"
    for command, is_recalled in (("recall", True), ("allow", False)):
        assert run("batch", folder, command, "T1", "L1").returncode == 0
        with open_services(folder) as services, services.database.reading() as snapshot:
            (batch,) = articles(snapshot, ["T1"])["T1"].batches
        assert (batch.batch, batch.is_recalled) == ("L1", is_recalled)
        # Goods that come again from elsewhere take no recall back.
        assert run("catalogue", folder, "import", "-", stdin=goods).returncode == 0
        with open_services(folder) as services, services.database.reading() as snapshot:
            left = articles(snapshot, ["T1"])["T1"].batches
        assert [one.batch for one in left if one.is_recalled] == (["L1"] if is_recalled else [])
    assert json.loads(run("batch", folder, "sold", "T1", "L1", "--json").stdout) == []
    assert "receipt" in run("batch", folder, "sold", "T1", "L1").stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("store", "add", ""), "cannot be a name"),
        (("store", "add", "East", "--zone", "Mars/Olympus"), "not a time zone"),
        (("till", "add", "nowhere", "1"), "no store nowhere"),
        (("till", "code", "nothing"), "no till nothing"),
        (("operator", "add", "Wang", "--pin", "12"), "4 to 12 digits"),
        (("user", "add", "boss", "--password", "short"), "at least 10"),
        (("programme", "publish", "/nonexistent"), "cannot be read"),
        (("catalogue", "import", "-"), "goods file cannot be read"),
        (("seed", "-"), "set-up document cannot be read"),
        (("partners", "import", "cinema", "-"), "has no cinema"),
        (("batch", "recall", "T1", "L1"), "no goods T1"),
        (("erase", "nobody"), "no member nobody"),
        (("segment", "add", "young", "/nonexistent"), "cannot be read"),
        (("coupon", "issue", "ten-off-fifty"), "no coupon “ten-off-fifty”"),
        (("coupon", "issue", "ten-off-fifty", "--count", "0"), "issues 1 to 100000"),
        (("till", "revoke", "nothing"), "no till nothing"),
        (("exceptions", "show", "nothing"), "no exception nothing"),
        (("quarantine", "show", "a/0/1"), "Nothing waits in quarantine at a/0/1"),
        (("quarantine", "decide", "a/0/1", "--book"), "Nothing waits in quarantine at a/0/1"),
        (("quarantine", "decide", "a", "--reject"), "not JOURNAL/EPOCH/SEQ"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(
    run: Run, folder: Path, command: tuple[str, ...], said: str
) -> None:
    group, *rest = command

    done = run(group, folder, *rest, stdin="nonsense")

    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_an_audit_of_nothing_judges_nothing(run: Run, folder: Path) -> None:
    done = run("audit", folder, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["judged"], told["different"], told["waiting"]) == (0, 0, 0)
    assert "judged in all" in run("audit", folder).stdout


def test_what_a_revoked_till_sent_is_listed_shown_and_decided(
    run: Run, folder: Path, clock: ManualClock
) -> None:
    with serve_here(folder, clock=clock) as server:
        till = server.enrol_till()
        twin = till.copy(0)
        for amount in (100, 200):
            till.sell(amount)
        twin.sell(400)
        server.line.push(till)
        server.line.push(twin)
    assert till.certificate.till_id is not None
    assert run("till", folder, "revoke", till.certificate.till_id).stdout == "1\n"
    with serve_here(folder, clock=clock) as server:
        till.sell(800)
        server.line.push(till)

    found = json.loads(run("exceptions", folder, "list", "--json").stdout)
    assert {one["rule"] for one in found} == {"fork", "receipt-number-twice"}
    raised = next(one for one in found if one["rule"] == "fork")
    assert (raised["rule"], raised["fork"], len(raised["facts"])) == ("fork", "clone", 2)
    assert json.loads(run("exceptions", folder, "show", raised["id"], "--json").stdout) == raised
    assert raised["words"].keys() == {language.value for language in Language}
    assert all(told.keys() == {"rule", "about", "do"} for told in raised["words"].values())
    shown = " ".join(run("exceptions", folder, "show", raised["id"]).stdout.split())
    assert "Enrol the till again with a new code" in shown
    assert "journal went on twice" in run("exceptions", folder, "show", raised["id"]).stdout
    assert "journal went on twice" in " ".join(run("exceptions", folder, "list").stdout.split())

    (waiting,) = json.loads(run("quarantine", folder, "list", "--json").stdout)
    assert (waiting["seq"], waiting["reason"]) == (2, "revoked-till")
    place = waiting["place"]
    shown = json.loads(run("quarantine", folder, "show", place, "--json").stdout)
    assert json.loads(shown["bytes"])["body"]["total"] == 800
    assert place in run("quarantine", folder, "show", place).stdout.replace("\n", "")
    assert "sale_completed" in run("quarantine", folder, "list").stdout
    assert run("quarantine", folder, "decide", place, "--book").returncode == 0
    assert json.loads(run("quarantine", folder, "list", "--json").stdout) == []
    assert run("verify", folder).returncode == 0


def test_two_enrolments_of_one_person_are_listed_merged_and_told_apart_again(
    run: Run, folder: Path
) -> None:
    store = run("store", folder, "add", "East").stdout.strip()
    till = run("till", folder, "add", store, "Till 1").stdout.strip()
    code = run("till", folder, "code", till).stdout.strip()
    with serve_here(folder, clock=ManualClock(START)) as server:
        writer = server.line.enrol(code)
        profile = MemberProfile(name="Li Lei", phone="13800138000")
        first, second = writer.enrol_member(profile), writer.enrol_member(profile)
        server.line.push(writer)

    (double,) = json.loads(run("members", folder, "doubles", "--json").stdout)
    assert (double["holder"], double["other"], double["name"]) == (first, second, "Li Lei")
    merged = run("members", folder, "merge", second, first, "--verified", "phone", "--json")
    merge = json.loads(merged.stdout)["merge"]
    assert json.loads(run("members", folder, "doubles", "--json").stdout) == []
    told = json.loads(run("members", folder, "show", first, "--json").stdout)
    assert told["merges"] == [{"merge_id": merge, "alias": second, "into": first}]
    shown = f"{merge}: {second} is an alias of {first}\n"
    assert run("members", folder, "show", first).stdout == shown
    again = run("members", folder, "merge", second, first, "--verified", "office")
    assert (again.returncode, again.stdout) == (2, "")
    assert "alias" in again.stderr
    assert json.loads(run("members", folder, "unmerge", merge, "--json").stdout) == {
        "unmerged": merge
    }
    assert json.loads(run("members", folder, "doubles", "--json").stdout) == [double]
    assert run("members", folder, "doubles").stdout == f"{second} came after {first}  (Li Lei)\n"


def test_a_folder_without_a_server_is_named(run: Run, tmp_path: Path) -> None:
    done = run("verify", tmp_path / "empty")

    assert done.returncode == 2
    assert "evertill-server init" in done.stderr


def test_every_refusal_has_words_in_both_languages() -> None:
    wanted = {f"error.{code}" for code in STATUS}
    for language in Language:
        assert wanted - words(language).keys() == set()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, as its own would."""

    def call(command: str, folder: Path, *rest: str, stdin: str = "") -> Done:
        arguments = ["evertill-server", command, *rest, "--data", str(folder)]
        monkeypatch.setattr(sys, "argv", arguments)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return call
