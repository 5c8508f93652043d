"""A shop's day in a process of its own, so that whatever it writes lies below one folder.

``python -m tests.privacy.day FOLDER``: a server, two tills with paper printers, people who enrol,
buy, are looked up and erased; their bank cards are typed and scanned into every field there is; a
copy is made, and things break with all of that in reach. It says in JSON who was erased, and when
a stage is done; its stderr is the log.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import structlog

from desktop.presenters.elsewhere import member_question
from desktop.store.members import Member
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import Answers, built_in_profiles
from hardware.printer.printer import EscposPrinter
from hardware.printer.transport import FileTransport
from shared.clock import SystemClock
from shared.errors import DomainError, EvertillError
from shared.log_words import configure_logging
from shared.trade.till import CashDirection
from sync_server.bootstrap import open_copier
from tests.privacy.people import Person, people
from tests.support.enrolled_till import BISCUITS, WATER
from tests.support.little_chain import LittleChain, TillHere
from tests.support.till_writer import Line, Refused

PASSPHRASE = "four words for copies"
PASSWORD = "a-long-password"
log = structlog.get_logger("privacy.day")
Refusal = Callable[[], object]


def refused(what: str, act: Refusal) -> None:
    """A card's number in a field: said no to, in words."""
    code = ""
    try:
        act()
    except DomainError as error:
        code = error.code
    assert code == "payment-card-dropped", what


@contextmanager
def paper(till: TillHere, file: Path) -> Iterator[None]:
    """The till with a printer that collects its bytes in a file."""
    book = built_in_profiles()
    profile = replace(book.profile("gb"), answers=Answers.NEVER)
    file.touch()
    printer = EscposPrinter("printer", FileTransport(file), profile, clock=SystemClock())
    printer.open()
    till.around["printer"] = printer
    till.around["encoder"] = Encoder(profile, book.paper("58mm"))
    till.restart()
    till.till.start()
    yield
    printer.close()


def enrol(till: TillHere, person: Person, *, buys: bool) -> Member:
    """Enrolled with everything; who buys is found again by everything before."""
    member = till.enrol(person.name, person.phone, person.card, "0229")
    if not buys:
        return member
    for text in (person.name, person.phone, person.card, person.phone[-4:]):
        assert member.member_id in {one.member_id for one in till.till.members.search(text)}
    till.sell(BISCUITS.barcodes[0], WATER.barcodes[0], member=member)
    return member


def try_payment_card(till: TillHere, person: Person) -> None:
    """The bank card in every field of the till."""
    number, members = person.payment_card, till.till.members
    grouped = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    for typed in (number, grouped, grouped.replace(" ", "-")):
        assert members.search(typed) == []
        assert member_question(typed) is None
        refused("scanner", lambda typed=typed: till.counter.scanning.scan(typed))
        refused("name", lambda typed=typed: till.enrol(f"卡 {typed}", person.phone))
        refused("phone", lambda typed=typed: till.enrol("某人", typed))
        refused("card", lambda typed=typed: till.enrol("某人", "13100000000", typed))
    known = members.by_phone(person.phone)[0]
    profiles = till.till.profiles
    refused("changed card", lambda: profiles.edit(known, card=number))
    refused("changed name", lambda: profiles.edit(known, name=f"{number}"))
    refused(
        "note",
        lambda: till.counter.shifts.move_cash(
            till.operator_id, CashDirection.PAID_IN, 100, reason="float", note=f"card {grouped}"
        ),
    )


class Office:
    """Somebody at head office with a browser."""

    def __init__(self, chain: LittleChain) -> None:
        chain.server.services.users.add("office", PASSWORD)
        self.client = httpx.Client(base_url=chain.server.url, timeout=60)
        page = self.client.get("/office/sign-in").text
        self.token = page.partition('name="form_token" value="')[2].partition('"')[0]

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form."""
        return self.client.post(path, data={"form_token": self.token, **fields})

    def sign_in(self) -> None:
        """With the right password."""
        assert self.post("/office/sign-in", login="office", password=PASSWORD).status_code == 303


def at_the_office(office: Office, person: Person, member_id: str) -> None:
    """Looked up, looked at, and the bank card in every field."""
    for text in (person.name, person.phone, person.card):
        assert member_id in office.client.get("/office/members", params={"q": text}).text
    page = office.client.get(f"/office/members/{member_id}").text
    assert person.name in page
    number = person.payment_card
    assert office.client.get("/office/members", params={"q": number}).status_code == 400
    for field in ("name", "phone", "card"):
        answer = office.post(f"/office/members/{member_id}/change", **{field: number})
        assert answer.status_code == 400, field
    office.client.get(f"/office/members/{number}")
    office.client.get(f"/office/{person.phone}?q={number}")


def break_things(chain: LittleChain, person: Person) -> None:
    """Bugs with somebody's data in their words and their variables: till, thread, server, end."""
    name, number = person.name, person.payment_card

    def fail() -> None:
        told = {"name": name, "number": number}
        raise ValueError(f"no place for {told}")

    try:
        fail()
    except ValueError:
        log.exception("bug")
    broken = threading.Thread(target=fail)
    broken.start()
    broken.join()
    reader = chain.server.services.lookup
    original = type(reader).find

    def find(*_told: Any) -> Any:
        raise RuntimeError(f"{name} {number}")

    type(reader).find = find  # type: ignore[method-assign]  # a bug is planted
    with httpx.Client(base_url=chain.server.url) as client:
        line = Line(client)
        store = chain.server.services.stores.stores()[0]
        spare = chain.server.services.stores.add_till(store.store_id, "spare")
        till = line.enrol(chain.server.services.enrolment.issue_code(spare.till_id))
        with suppress(Refused):
            line.look_up(till, receipt_no="1")
    type(reader).find = original  # type: ignore[method-assign]  # mended


def tell(stage: str, **more: object) -> None:
    """Say that a stage is done, and wait until its files were looked at."""
    print(json.dumps({"stage": stage, **more}), flush=True)
    sys.stdin.readline()


def main(folder: Path) -> None:
    """The day."""
    configure_logging("info")
    everybody = people()
    # The other one's file is plain, so that what erasure leaves in a file can be looked for.
    with LittleChain(folder / "chain", sealed={1}) as chain:
        first, second = chain.tills
        with paper(first, folder / "paper-1.bin"), paper(second, folder / "paper-2.bin"):
            run_day(chain, folder, everybody)
        tell("closing")
    raise EvertillError("end", person=everybody[0].name, card=everybody[0].payment_card)


def run_day(chain: LittleChain, folder: Path, everybody: list[Person]) -> None:
    """All stages, each told when it is done."""
    office = Office(chain)
    for person in everybody[:5]:
        office.post("/office/sign-in", login=person.payment_card, password=person.phone)
    office.sign_in()
    members: dict[str, Person] = {}
    for number, person in enumerate(everybody):
        member = enrol(chain.tills[number % 2], person, buys=number % 3 == 0)
        members[member.member_id] = person
    first = chain.tills[0]
    for person in everybody[::10]:
        try_payment_card(first, person)
    first.counter.checkout.basket.attach(first.member(next(iter(members))))
    first.counter.scanning.scan(WATER.barcodes[0])
    first.counter.holding.hold(first.shift, first.operator_id)
    chain.drain()
    for member_id, person in list(members.items())[::10]:
        at_the_office(office, person, member_id)
    break_things(chain, everybody[0])
    with open_copier(chain.server.folder, clock=chain.clock) as copier:
        copy = replace(copier, log2_n=4).make(folder / "usb", PASSPHRASE, off_machine=True)
    wait_for_paper(chain)
    tell("day", copy=str(copy.file))
    gone = list(members)[::2]
    for member_id in gone:
        chain.server.services.erasure.erase(member_id, reason="request")  # type: ignore[arg-type]  # an id
    chain.clock.advance(hours=2)  # tills look once an hour for what is safe elsewhere by now
    for till in chain.tills:
        till.sell(WATER.barcodes[0])
    chain.drain()
    for till in chain.tills:
        till.till.store.writer.scrub().result()
    office.client.close()
    tell("erased", members=[members[one].name for one in gone])


def wait_for_paper(chain: LittleChain) -> None:
    """Let the printers print all that was sold."""
    for till in chain.tills:
        spooler = till.till.spooler
        assert spooler is not None
        spooler.wake()
        while not spooler.wait_idle(1.0):
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
