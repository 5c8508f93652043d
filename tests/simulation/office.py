"""What head office does between two requests of tills."""

import random
from dataclasses import replace

from shared.catalogue.goods import Goods
from shared.ids import LeaseId, OperatorId
from tests.simulation.actions import Shop
from tests.simulation.plan import Action
from tests.simulation.server import SimulatedServer
from tests.simulation.template import add_till, programme_document
from tests.support.enrolled_till import GOODS


class HeadOffice:
    """Changes what tills pull."""

    def __init__(self, server: SimulatedServer, shop: Shop) -> None:
        self.server = server
        self.shop = shop

    def operator_id(self) -> OperatorId:
        """Who works at the tills."""
        return self.server.services.operators.all()[0].operator_id

    def another_code(self, number: int) -> str:
        """A fresh code for a till, which is added again where a restored server forgot it."""
        services = self.server.services
        known = [one.till_id for one in services.stores.tills() if one.number == number]
        return services.enrolment.issue_code(known[0]) if known else add_till(services, number)

    def code_for(self, journal: str) -> str | None:
        """A code with which a journal goes on; None where the server does not know it any more."""
        tills = self.server.services.stores.tills()
        found = next((one.till_id for one in tills if one.journal == journal), None)
        return self.server.services.enrolment.issue_code(found) if found is not None else None

    def do(self, action: Action, drawn: random.Random) -> str:
        """One of its errands."""
        if action is Action.PUBLISH:
            self.publish(drawn.randint(1, 3), leases_points=drawn.random() < 0.5)
            return "done"
        if action is Action.GOODS:
            self._change_goods(drawn)
            return "done"
        return self._erase(drawn)

    def publish(self, points: int, *, leases_points: bool) -> None:
        """Put a programme in force."""
        document = programme_document(points, leases_points=leases_points)
        self.server.services.programme.publish(document)

    def reclaim(self, drawn: random.Random) -> str:
        """Take a lease back by hand: its till is lost, as far as head office knows."""
        found = self.server.reading.execute(
            "SELECT lease_id FROM leases WHERE state = 'open' ORDER BY lease_id"
        ).fetchall()
        if not found:
            return "no lease"
        self.server.services.leases.reclaim(LeaseId(drawn.choice(found)[0]), by="command")
        return "done"

    def _change_goods(self, drawn: random.Random) -> None:
        goods: Goods = drawn.choice(GOODS)
        price = goods.list_price_minor + drawn.randint(-50, 50)
        self.server.services.catalogue.put([replace(goods, list_price_minor=price)])

    def _erase(self, drawn: random.Random) -> str:
        found = self.server.reading.execute(
            "SELECT member_id FROM members WHERE NOT gone ORDER BY member_id"
        ).fetchall()
        if len(found) < 4:
            return "too few members"
        self.server.services.erasure.erase(drawn.choice(found)[0], reason="asked for")
        return "done"
