"""Whether tills and server agree: bytes, chains, balances, and what the facts themselves say."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from desktop.reckoning.file import KeptFile, Key


@dataclass(frozen=True, slots=True)
class Totals:
    """What the facts say, summed from their JSON."""

    sales: int = 0
    returns: int = 0
    turnover: int = 0
    refunded: int = 0
    listed: int = 0
    """Quantity × price of what was sold less what came back, before any offer."""
    points_earned: int = 0
    points_taken: int = 0
    points_by_member: Mapping[str, int] = field(default_factory=dict)
    by_account: Mapping[str, int] = field(default_factory=dict)
    """What tickets say was taken by tenders other than cash, and what counts towards tiers."""
    entries: int = 0


@dataclass(slots=True)
class Agreement:
    """What a reckoning found; ``differences`` is empty when everything agrees."""

    differences: list[str] = field(default_factory=list)
    entries_written: int = 0
    entries_acknowledged: int = 0
    ledger_imbalance: int = 0
    chains_verified: bool = True
    balances_equal: bool = True
    totals: Totals = field(default_factory=Totals)

    @property
    def is_consistent(self) -> bool:
        """Whether nothing disagrees."""
        return not self.differences


def reckon(tills: Iterable[KeptFile], server: KeptFile) -> Agreement:
    """Compare every till with the server and each with itself."""
    tills = list(tills)
    found = Agreement()
    for kept in (*tills, server):
        for chain in kept.broken_chains():
            found.chains_verified = False
            found.differences.append(f"{kept.name}: chain {chain} is broken")
        imbalance = kept.imbalance()
        found.ledger_imbalance += imbalance
        if imbalance:
            found.differences.append(f"{kept.name}: postings do not sum to zero")
        _check_balances(kept, found)
    for till in tills:
        _check_copies(till, server, found)
    _check_members(tills, server, found)
    found.totals = totals_of(server)
    _check_told(server, found)
    return found


def _check_balances(kept: KeptFile, found: Agreement) -> None:
    expected: Counter[Key] = Counter(
        kept.own_since_pull if kept.name != "server" else kept.postings
    )
    for key, amount in kept.pulled.items():
        expected[key] += amount
    for key in sorted(expected.keys() | kept.balances.keys()):
        if expected[key] != kept.balances.get(key, 0):
            found.balances_equal = False
            found.differences.append(
                f"{kept.name}: {'/'.join(key)} is {kept.balances.get(key, 0)}, "
                f"its postings give {expected[key]}"
            )


def _check_copies(till: KeptFile, server: KeptFile, found: Agreement) -> None:
    """The server's copy of a till's chain: the same bytes, as far as it was acknowledged."""
    for chain, entries in till.chains.items():
        copy = server.chains.get(chain, [])
        acknowledged = till.acknowledged.get(chain, 0)
        found.entries_written += len(entries)
        found.entries_acknowledged += acknowledged
        if [entry.encoded for entry in copy] != [entry.encoded for entry in entries[: len(copy)]]:
            found.differences.append(f"{till.name}: the server keeps other bytes")
        if not acknowledged <= len(copy) <= len(entries):
            found.differences.append(
                f"{till.name}: wrote {len(entries)}, {acknowledged} acknowledged, "
                f"the server has {len(copy)}"
            )


def _check_members(tills: list[KeptFile], server: KeptFile, found: Agreement) -> None:
    """What a till shows of a member it has fully sent and pulled is what the server has."""
    for till in tills:
        sent = all(till.acknowledged[chain] == len(rows) for chain, rows in till.chains.items())
        if not sent:
            continue
        owners = {owner for account, owner, _lot, _unit in till.pulled if account == "points"}
        for key, amount in till.pulled.items():
            if key[1] in owners and till.balances.get(key, 0) != server.balances.get(key, 0):
                found.balances_equal = False
                found.differences.append(
                    f"{till.name}: {'/'.join(key)} is {amount}, "
                    f"the server has {server.balances.get(key, 0)}"
                )


def _facts(kept: KeptFile, kind: str) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for entry in kept.entries():
        told = entry.told
        if told["kind"] == kind and told["id"] not in seen:
            seen.add(told["id"])
            yield told


def totals_of(kept: KeptFile) -> Totals:
    """Sum the facts' own words: no posting is looked at."""
    sales = [told["body"] for told in _facts(kept, "sale_completed")]
    returns = [told["body"] for told in _facts(kept, "sale_returned")]
    top_ups = [told["body"] for told in _facts(kept, "value_topped_up")]
    paid_in = [*top_ups, *(told["body"] for told in _facts(kept, "gift_card_sold"))]
    return Totals(
        sales=len(sales),
        returns=len(returns),
        turnover=sum(body["total"] for body in sales),
        refunded=sum(body["total"] for body in returns),
        listed=_listed(_facts(kept, "sale_completed"), returns),
        points_earned=sum(
            body["member"]["points"].get("earned", 0)
            + body.get("referral", {}).get("for_referrer", 0)
            for body in sales
            if body.get("member")
        ),
        points_taken=_points_taken(returns),
        points_by_member=_points_by_member(kept),
        by_account=_by_account([*sales, *paid_in], returns),
        entries=sum(len(chain) for chain in kept.chains.values()),
    )


def _points_by_member(kept: KeptFile) -> dict[str, int]:
    points: Counter[str] = Counter()
    for kind in ("sale_completed", "sale_returned", "action_counted", "draw_entered"):
        for told in _facts(kept, kind):
            member, referral = told["body"].get("member"), told["body"].get("referral")
            if member:
                points[member["member_id"]] += _moved(member["points"])
            if referral:
                points[referral["referrer_id"]] += _to_referrer(referral)
    for told in _facts(kept, "points_transferred"):
        body = told["body"]
        points[body["from_member"] or ""] -= sum(draw["points"] for draw in body["from_lots"])
        points[body["to_member"] or ""] += sum(draw["points"] for draw in body["to_lots"])
    for told in _facts(kept, "value_topped_up"):
        points[told["body"]["member_id"]] += told["body"].get("points", 0)
    for member, moved in _at_partners(kept):
        points[member] += moved
    for kind, sign in (("members_merged", 1), ("members_unmerged", -1)):
        for told in _facts(kept, kind):
            body = told["body"]
            moved = sign * sum(m["amount"] for m in body["moved"] if m["account"] == "points")
            points[body["from_member"]] -= moved
            points[body["into_member"]] += moved
    points.pop("", None)
    return dict(points)


def _at_partners(kept: KeptFile) -> Iterator[tuple[str, int]]:
    """Members with what sales at partners, and their returns, moved."""
    for told in _facts(kept, "partner_sold"):
        body = told["body"]
        yield body["member_id"], body["points"] - body.get("points_spent", 0)
    for told in _facts(kept, "partner_returned"):
        body = told["body"]
        taken = sum(one["points"] for one in body.get("points_taken", ()))
        yield body["member_id"], body.get("points_spent", 0) - taken


def _to_referrer(referral: dict[str, Any]) -> int:
    """What a sale paid who brought its member, or a return took back."""
    taken = sum(int(draw["points"]) for draw in referral.get("lots", ()))
    return int(referral.get("for_referrer", 0)) - taken


def _points_taken(returns: Iterable[dict[str, Any]]) -> int:
    taken = 0
    for body in returns:
        taken += sum(draw["points"] for draw in body.get("points_taken", ()))
        taken -= _to_referrer(body.get("referral") or {})
    return taken


TENDER_ACCOUNTS = {
    "card": "card",
    "wallet": "wallet",
    "voucher": "voucher",
    "points": "points-tender",
}


def _by_account(sales: list[dict[str, Any]], returns: list[dict[str, Any]]) -> dict[str, int]:
    found = Counter(dict.fromkeys((*TENDER_ACCOUNTS.values(), "spend", "growth", "stamps"), 0))
    for body, tenders, sign in (
        *((body, body["tenders"], 1) for body in sales),
        *((body, body["refunds"], -1) for body in returns),
    ):
        for tender in tenders:
            account = TENDER_ACCOUNTS.get(tender["tender"])
            if account is not None:
                found[account] += sign * (tender["amount"] + tender.get("change", 0))
        member = body.get("member") or {}
        for name in ("spend", "growth"):
            found[name] += member.get(name, 0)
        for card in body.get("cards", ()):
            stamps = card.get("added", 0) - card.get("taken", 0)
            full = card.get("filled", 0) - card.get("reopened", 0)
            found["stamps"] += stamps - full * card["size"]
    return dict(found)


def _listed(sales: Iterable[dict[str, Any]], returns: Iterable[dict[str, Any]]) -> int:
    prices: dict[tuple[str, int], int] = {}
    listed = 0
    for told in sales:
        for line in told["body"]["lines"]:
            prices[told["id"], line["line"]] = line["unit_price"]
            listed += _worth(line, line["unit_price"])
    for body in returns:
        for line in body["lines"]:
            price = prices.get((body["original"] or "", line["of_line"]))
            listed -= line["amount"] if price is None else _worth(line, price)
    return listed


def _worth(line: dict[str, Any], unit_price: int) -> int:
    """Pieces at a price each; grams at a price per kilogram, half a unit rounded up."""
    whole = int(line["quantity"]) * unit_price
    return (whole + 500) // 1000 if line.get("measure") == "gram" else whole


def _moved(points: dict[str, int]) -> int:
    """What a ticket says it did to a balance."""
    return points.get("earned", 0) - points.get("spent", 0) + points.get("adjusted", 0)


def _check_told(server: KeptFile, found: Agreement) -> None:
    """The ledger against the facts' own words: turnover, and every member's points."""
    totals = found.totals
    booked: Counter[str] = Counter()
    for (account, _owner, _lot, _unit), amount in server.balances.items():
        booked[account] += amount
    sold = booked["sales"] + booked["tax"] + booked["prepaid-tax"] + booked["levy"]
    if -sold != totals.turnover - totals.refunded:
        found.balances_equal = False
        found.differences.append("server: turnover in the ledger is not what the receipts say")
    for account, amount in totals.by_account.items():
        if booked[account] != amount:
            found.balances_equal = False
            found.differences.append(
                f"server: {account} in the ledger is {booked[account]}, the receipts say {amount}"
            )
    held: Counter[str] = Counter()
    for (account, owner, _lot, _unit), amount in server.balances.items():
        if account == "points":
            held[owner] += amount
    for member in held.keys() | totals.points_by_member.keys():
        if held[member] != totals.points_by_member.get(member, 0):
            found.balances_equal = False
            found.differences.append(f"server: points of {member} are not what the facts say")
