"""``python -m tests.judges.integer_programme --cases N --seed S``: the long form of the judge.

Every case of the exact families that the engine prices otherwise than the solver is printed.
``--freely`` compares with the best that any choice of sets and units could give: the engine makes
all sets of an offer or none, so it may be dearer, never cheaper. Exit code 1 where the engine is
wrong.
"""

import argparse
import sys
import time
from collections import Counter
from random import Random

from shared.pricing.engine import price
from tests.judges.integer_programme.as_programme import as_basket, as_programme
from tests.judges.integer_programme.families import COMPETING, FAMILIES
from tests.judges.integer_programme.model import lowest_total


def main(arguments: list[str]) -> int:
    """Judge a range of seeds in every family."""
    parser = argparse.ArgumentParser(prog="python -m tests.judges.integer_programme")
    parser.add_argument("--cases", type=int, default=1_000, help="how many of each family (1,000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (0)")
    parser.add_argument("--freely", action="store_true", help="offers that compete for units")
    told = parser.parse_args(arguments)
    families = COMPETING if told.freely else FAMILIES
    wrong = 0
    for name, draw in families.items():
        began, found = time.monotonic(), Counter[str]()
        for seed in range(told.seed, told.seed + told.cases):
            case = draw(Random(seed))
            quote = price(as_basket(case), as_programme(case))
            lowest = lowest_total(case, freely=told.freely)
            verdict = _verdict(quote.total_minor, lowest, is_proved=quote.is_best_price)
            found[verdict] += 1
            is_wrong = verdict == "too cheap" or (verdict == "dearer" and not told.freely)
            wrong += is_wrong
            if is_wrong:
                print(f"{name} {seed}: {quote.total_minor}, solver {lowest}: {case}")
        print(f"{name}: {dict(found)}, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def _verdict(total: int, lowest: int, *, is_proved: bool) -> str:
    if total < lowest:
        return "too cheap"
    if total == lowest:
        return "equal"
    return "dearer" if is_proved else "dearer, not proved"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
