import pytest

from alpesctl.errors import ComposeError
from alpesctl.stack.interpolate import interpolate

VARIABLES = {"SET": "value", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$SET", "value"),
        ("${SET}", "value"),
        ("a${SET}b", "avalueb"),
        ("${SET:-x}", "value"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${UNSET-x}", "x"),
        ("${UNSET:-${SET}}", "value"),
        ("${UNSET:-${ALSO:-deep}}", "deep"),
        ("${SET:+there}", "there"),
        ("${EMPTY:+there}", ""),
        ("${EMPTY+there}", "there"),
        ("${UNSET+there}", ""),
        ("${SET:?needed}", "value"),
        ("$$SET", "$SET"),
        ("${UNSET:--Xms512m -Xmx1g}", "-Xms512m -Xmx1g"),
    ],
)
def test_each_form_of_the_specification(text: str, expected: str) -> None:
    assert interpolate(text, VARIABLES) == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("${UNSET}", "UNSET is missing"),
        ("$UNSET", "UNSET is missing"),
        ("${UNSET:?set it to a port}", "set it to a port"),
        ("${EMPTY:?must not be empty}", "must not be empty"),
        ("${SET", "closing brace"),
        ("${}", "no variable name"),
        ("5$", "lone $"),
        ("${SET!x}", "can't be read"),
    ],
)
def test_what_cannot_be_interpolated_is_named_with_its_path(text: str, word: str) -> None:
    with pytest.raises(ComposeError) as caught:
        interpolate({"services": {"web": {"ports": [text]}}}, VARIABLES)
    assert "services.web.ports[0]" in str(caught.value)
    assert word in str(caught.value)


def test_keys_and_other_values_stay_as_they_are() -> None:
    assert interpolate({"$SET": [1, None, True, "$SET"]}, VARIABLES) == {"$SET": [1, None, True, "value"]}
