"""What a receipt tells a member: points that add up, tier, what ends soon, what comes next."""

from datetime import datetime

from shared.money import Currency
from shared.points import format_points
from shared.receipt.document import Block, Pair, Rule, Style, Text
from shared.receipt.issue import Issue, MemberFace, Names, Part
from shared.receipt.voice import full_amount, signed
from shared.trade.fact import MemberOutcome, PointsOutcome


def member_part(issue: Issue, outcome: MemberOutcome, currency: Currency) -> list[Block]:
    """Masked name and card, tier, and the points block."""
    voice, face = issue.voice, issue.member
    blocks: list[Block] = [Rule()]
    tier = tier_name(issue, outcome.tier_after)
    blocks.append(Pair(_who(issue, face), tier, Style.STRONG))
    if face and face.masked_card:
        blocks.append(Pair(voice.say("paper.card"), face.masked_card))
    if outcome.tier_after != outcome.tier:
        blocks += [
            Text(line, style=Style.STRONG)
            for line in voice.tell(
                "paper.tier-changed", tier=_tier_names(issue, outcome.tier_after)
            )
        ]
    blocks += points_block(issue, outcome.points)
    if face and issue.shows(Part.OUTLOOK):
        blocks += _outlook(issue, face, outcome.points.decimals, currency)
    return blocks


def _who(issue: Issue, face: MemberFace | None) -> str:
    label = issue.voice.say("paper.member")
    return f"{label} {face.masked_name}".strip() if face else label


def tier_name(issue: Issue, tier: str) -> str:
    """The tier as the member knows it."""
    return issue.voice.name(_tier_names(issue, tier))


def _tier_names(issue: Issue, tier: str) -> Names:
    return issue.names.tiers.get(tier) or {"": tier}


def adds_up(outcome: PointsOutcome) -> bool:
    """opening + earned - spent + adjusted = closing, and the rules give what was earned."""
    closing = outcome.opening + outcome.earned - outcome.spent + outcome.adjusted
    by_rule = sum(rule.points for rule in outcome.by_rule)
    return closing == outcome.closing and by_rule in (outcome.earned, 0)


def points_block(issue: Issue, outcome: PointsOutcome) -> list[Block]:
    """The way from the opening to the closing balance; printed only if it adds up."""
    voice = issue.voice
    if not adds_up(outcome):
        return [Text(line) for line in voice.tell("paper.points.withheld")]

    def figure(points: int) -> str:
        return format_points(points, outcome.decimals)

    blocks: list[Block] = [Pair(voice.say("paper.points.opening"), figure(outcome.opening))]
    blocks += _movements(issue, outcome)
    closing = figure(outcome.closing) + (" *" if outcome.offline else "")
    blocks.append(Pair(voice.say("paper.points.closing"), closing, Style.STRONG))
    if outcome.earned > 0 and outcome.expires_on:
        until = voice.tell("paper.points.valid-until", date=outcome.expires_on)
        blocks += [Text(line) for line in until]
    return blocks + _as_of(issue, outcome)


def _movements(issue: Issue, outcome: PointsOutcome) -> list[Block]:
    """Every figure carries its sign, so that the column can be added up."""
    voice = issue.voice
    moved: list[tuple[str, int]] = []
    if outcome.by_rule and any(rule.points for rule in outcome.by_rule):
        by_rule = [
            (voice.say("paper.points.earned-by", rule=rule.names), rule.points)
            for rule in outcome.by_rule
        ]
        moved += by_rule
    else:
        key = "taken-back" if outcome.earned < 0 else "earned"
        moved.append((voice.say(f"paper.points.{key}"), outcome.earned))
    key = "given-back" if outcome.spent < 0 else "spent"
    moved.append((voice.say(f"paper.points.{key}"), -outcome.spent))
    moved.append((voice.say("paper.points.adjusted"), outcome.adjusted))
    return [
        Pair(label, signed(format_points(points, outcome.decimals)), indent=2)
        for label, points in moved
        if points
    ]


def _as_of(issue: Issue, outcome: PointsOutcome) -> list[Block]:
    """The time the balance is true for; provisional figures are marked with a star."""
    voice = issue.voice
    key = "paper.points.as-of-offline" if outcome.offline else "paper.points.as-of"
    time = voice.short_time(datetime.fromisoformat(outcome.as_of))
    return [Text(line) for line in voice.tell(key, time=time)]


def _outlook(issue: Issue, face: MemberFace, decimals: int, currency: Currency) -> list[Block]:
    voice = issue.voice
    blocks: list[Block] = []
    for lapsing in face.lapsing:
        points = format_points(lapsing.points, decimals)
        told = voice.tell("paper.points.lapsing", points=points, date=lapsing.on)
        blocks += [Text(line) for line in told]
    if face.next_tier:
        missing = full_amount(face.next_tier.missing, currency)
        key = "paper.next-tier-until" if face.next_tier.until else "paper.next-tier"
        tier, until = face.next_tier.names, face.next_tier.until
        told = voice.tell(key, missing=missing, tier=tier, date=until)
        blocks += [Text(line) for line in told]
    return blocks
