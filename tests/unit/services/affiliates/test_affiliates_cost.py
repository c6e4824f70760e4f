"""The cost rule, to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.affiliates.domain.cost import cost


@pytest.mark.parametrize(
    ("interactions", "multiplier", "total"),
    [
        (0, "1.0", "1.00"),
        (1, "1.0", "1.05"),
        (9, "1.0", "1.45"),
        (10, "1.2", "1.80"),
        (49, "1.2", "4.14"),
        (50, "1.5", "5.25"),
        (51, "1.5", "5.325"),
        (99, "1.5", "8.925"),
        (100, "2.0", "12.00"),
        (90_000, "2.0", "9002.00"),
    ],
)
def test_the_rule_at_its_edges(interactions: int, multiplier: str, total: str) -> None:
    found = cost(interactions)
    assert found.engagement_multiplier == Decimal(multiplier)
    assert found.total_cost == Decimal(total)
    assert found.interaction_total_cost == Decimal("0.05") * interactions


@given(st.integers(0, 2**63 - 1))
def test_nothing_is_rounded(interactions: int) -> None:
    found = cost(interactions)
    cents = (100 + 5 * interactions) * int(found.engagement_multiplier * 10)
    assert found.total_cost * 1000 == cents
