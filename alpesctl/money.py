"""Money in minor units as a person reads it: with as many decimals as ISO 4217 gives the currency."""

from __future__ import annotations

# Whose number of decimals isn't 2; of a code that ISO 4217 doesn't have, 2 is assumed.
_BY_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DECIMALS = {code: decimals for decimals, codes in _BY_DECIMALS.items() for code in codes.split()}


def in_words(minor: int, currency: str) -> str:
    """`minor` units of a currency, as in `1,234.56 EUR`; exact."""
    decimals = _DECIMALS.get(currency, 2)
    whole, rest = divmod(abs(minor), 10**decimals)
    return f"{'-' if minor < 0 else ''}{whole:,}{f'.{rest:0{decimals}}' if decimals else ''} {currency}"
