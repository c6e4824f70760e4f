"""What a post costs: (1.00 + 0.05 × interactions) × multiplier. Decimals, exact: nothing is rounded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

BASE = Decimal("1.00")
PER_INTERACTION = Decimal("0.05")
# From how many interactions on which multiplier holds.
MULTIPLIERS = ((100, Decimal("2.0")), (50, Decimal("1.5")), (10, Decimal("1.2")), (0, Decimal("1.0")))


@dataclass(frozen=True, slots=True)
class Cost:
    """A post's cost, in units of the platform's currency."""

    base_cost: Decimal
    interactions_count: int
    interaction_cost: Decimal
    interaction_total_cost: Decimal
    engagement_multiplier: Decimal
    total_cost: Decimal


def cost(interactions: int) -> Cost:
    """The cost of a post with so many interactions."""
    multiplier = next(multiplier for least, multiplier in MULTIPLIERS if interactions >= least)
    of_interactions = PER_INTERACTION * interactions
    return Cost(BASE, interactions, PER_INTERACTION, of_interactions, multiplier, (BASE + of_interactions) * multiplier)
