"""``python -m tests.judges.brute_force --cases N --seed S``: the long form of the judge.

Every case that the engine answers otherwise than brute force is printed with what is wrong, and as
a document for ``evertill quote``. Exit code 1 when there was one.
"""

import argparse
import sys
import time

from tests.judges.brute_force.cases import case_of
from tests.judges.brute_force.judging import lowest_total, objections
from tests.judges.brute_force.worked import worked_case


def main(arguments: list[str]) -> int:
    """Judge a range of seeds."""
    parser = argparse.ArgumentParser(prog="python -m tests.judges.brute_force")
    parser.add_argument("--cases", type=int, default=10_000, help="how many (10,000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (0)")
    parser.add_argument("--show", action="store_true", help="print the cases, right or wrong")
    told = parser.parse_args(arguments)
    began, wrong = time.monotonic(), 0
    for seed in range(told.seed, told.seed + told.cases):
        case = case_of(seed)
        found = list(objections(case))
        wrong += bool(found)
        if found or told.show:
            print(worked_case(case, lowest_total(case), *(found or ["As it should be."])))
    seconds = time.monotonic() - began
    print(f"{told.cases} cases from seed {told.seed}, {wrong} wrong, {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
