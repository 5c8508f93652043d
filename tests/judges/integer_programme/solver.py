"""A small integer programme, solved by HiGHS: the one place that knows the solver.

All variables and figures are integers. What the solver answers is rounded and then held against
every row exactly, so that its tolerances cannot pass for a price.
"""

from collections.abc import Mapping

import highspy
import numpy as np

Terms = Mapping[int, int]
"""Factors by variable."""


class Model:
    """Variables, rows and what is to be as large as possible."""

    def __init__(self) -> None:
        self._highest: list[int] = []
        self._rows: list[tuple[dict[int, int], int]] = []

    def variable(self, highest: int) -> int:
        """An integer from 0 to ``highest``."""
        self._highest.append(highest)
        return len(self._highest) - 1

    def at_most(self, terms: Terms, bound: int) -> None:
        """A row: the sum is no more than ``bound``."""
        self._rows.append(({key: factor for key, factor in terms.items() if factor}, bound))

    def at_least(self, terms: Terms, bound: int) -> None:
        """A row: the sum is no less than ``bound``."""
        self.at_most({key: -factor for key, factor in terms.items()}, -bound)

    def highest(self, terms: Terms) -> int:
        """The most that a sum can be."""
        if not self._highest:
            return 0
        values = self._solve(terms)
        for row, bound in self._rows:
            assert sum(factor * values[key] for key, factor in row.items()) <= bound
        return sum(factor * values[key] for key, factor in terms.items())

    def _solve(self, terms: Terms) -> list[int]:
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self._highest), len(self._rows)
        lp.sense_ = highspy.ObjSense.kMaximize
        lp.col_cost_ = np.array([terms.get(key, 0) for key in range(len(self._highest))], float)
        lp.col_lower_ = np.zeros(len(self._highest))
        lp.col_upper_ = np.array(self._highest, float)
        lp.row_lower_ = np.full(len(self._rows), -highspy.kHighsInf)
        lp.row_upper_ = np.array([bound for _, bound in self._rows], float)
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(self._highest)
        starts = np.cumsum([0, *(len(row) for row, _ in self._rows)])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = starts.astype(np.int32)
        lp.a_matrix_.index_ = np.array([key for row, _ in self._rows for key in row], np.int32)
        lp.a_matrix_.value_ = np.array([f for row, _ in self._rows for f in row.values()], float)
        highs = highspy.Highs()
        highs.silent()
        for option, value in (
            ("threads", 1),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 1e-6),
            ("mip_feasibility_tolerance", 1e-9),
        ):
            highs.setOptionValue(option, value)
        highs.passModel(lp)
        highs.run()
        status = highs.getModelStatus()
        assert status == highspy.HighsModelStatus.kOptimal, status
        return [round(value) for value in highs.getSolution().col_value]
