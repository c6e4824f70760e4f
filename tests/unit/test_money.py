"""Minor units as a person reads them."""

from __future__ import annotations

import pytest

from alpesctl.money import in_words


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (0, "EUR", "0.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (123_456, "COP", "1,234.56 COP"),
        (-1_205, "USD", "-12.05 USD"),
        (123_456, "JPY", "123,456 JPY"),
        (123_456, "KWD", "123.456 KWD"),
        (123_456, "CLF", "12.3456 CLF"),
        (10**40 + 1, "EUR", f"{10**38:,}.01 EUR"),
    ],
)
def test_an_amount_must_have_its_currencys_decimals_and_stay_exact(minor: int, currency: str, words: str) -> None:
    assert in_words(minor, currency) == words
