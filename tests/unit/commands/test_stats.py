"""What `alpesctl stats` makes of a reading: tables within bounds, money in words, and what is away by name."""

from __future__ import annotations

from alpesctl.commands.stats import _line, _result, _screen
from alpesctl.stack.model import StatsSource
from alpesctl.statistics import Away, Counted, Rates, Reading, Waiting

DAYS = StatsSource("By day", "http://web:80/days", ("day", "status", "count"), total="count", shown=2)
SALES = StatsSource("By shop", "http://web:80/shops", ("shop", "amounts", "count"), money="amounts")
WAITS = Waiting("orders", 1, "tills", "Shared", 12, 2)


def days(count: int) -> Counted:
    return Counted(DAYS, [{"day": str(n), "status": "ok", "count": 1_000} for n in range(count)], "http://here/days")


def test_a_table_must_end_where_its_source_says_and_tell_where_the_rest_is() -> None:
    result = _result(Reading(0.0, [days(5)], [WAITS]), None)
    assert result.tables[0].title == "By day: 5,000 counted"
    assert result.tables[0].rows == [["0", "ok", "1,000"], ["1", "ok", "1,000"]]
    assert result.notes == ["By day: the first 2 by day; all: curl -s 'http://here/days'"]
    assert len(result.data["statistics"][0]["items"]) == 5
    assert _result(Reading(0.0, [days(2)], [WAITS]), None).notes == []


def test_a_page_must_tell_where_the_next_one_is() -> None:
    page = Counted(SALES, [{"shop": "a", "amounts": {}, "count": 1}], "http://here/shops?limit=1", "eA")
    result = _result(Reading(0.0, [page], [WAITS]), None)
    assert result.tables[0].title == "By shop"
    assert result.notes == ["By shop: the first page; more, if any: curl -s 'http://here/shops?limit=1&cursor=eA'"]
    assert result.data["statistics"][0]["next_url"] == "http://here/shops?limit=1&cursor=eA"


def test_money_must_be_shown_with_its_currency() -> None:
    items = [
        {"shop": "a", "amounts": {"EUR": 123_456, "JPY": 7}, "count": 2},
        {"shop": "b", "amounts": {}, "count": 1},
        {"shop": "c", "count": 1},
    ]
    result = _result(Reading(0.0, [Counted(SALES, items)], [WAITS]), None)
    assert [row[1] for row in result.tables[0].rows] == ["1,234.56 EUR, 7 JPY", "", ""]
    assert result.data["statistics"][0]["items"] == items


def test_what_is_away_must_be_named_once_with_what_to_do() -> None:
    down = [Away(title, "office is not up", "", "alpesctl up") for title in ("Staff", "Rooms")]
    result = _result(Reading(0.0, [days(1)], [WAITS], down), None)
    assert result.data["away"] == ["office is not up"]
    assert result.lines == ["! office is not up: alpesctl up"]
    assert [(table.title, table.empty) for table in result.tables[2:]] == [
        ("Staff", "not known"),
        ("Rooms", "not known"),
    ]
    assert result.exit_code == 0


def test_topics_of_a_broker_that_is_away_must_not_be_shown_as_none() -> None:
    broker = Away("Waiting in the topics", "the bus is silent", "timed out", "alpesctl status")
    for rates in (None, Rates({}, {})):
        result = _result(Reading(0.0, [days(1)], None, [broker]), rates)
        assert (result.data["topics"], result.data["away"]) == ([], ["the bus is silent"])
        assert [(table.title, table.empty) for table in result.tables[1:]] == [("Waiting in the topics", "not known")]
        assert result.lines == ["! the bus is silent (timed out): alpesctl status"]


def test_a_whole_stack_must_say_that_nothing_is_away() -> None:
    for rates in (None, Rates({}, {})):
        assert _result(Reading(0.0, [days(1)], [WAITS]), rates).data["away"] == []


def test_a_line_must_tell_totals_only_where_there_are_some() -> None:
    shops = Counted(SALES, [{"shop": "a", "amounts": {}, "count": 1}])
    line = _line(Reading(0.0, [days(1), shops], [WAITS]), Rates({"By day": 5.0}, {("orders", "tills"): -2.0}))
    assert line.partition(" · ")[2] == "By day: 1,000 (+5/s) · tills: backlog 12 (-2/s), 2 consumers"


def test_a_screen_must_begin_with_what_is_away_and_waits_and_hold_short_tables() -> None:
    many = [Waiting(str(number), 1, "tills", "Shared", 1, 1) for number in range(20)]
    long = Counted(StatsSource("By shop", "http://web:80/shops", ("shop", "count")), [{"shop": "a", "count": 1}] * 20)
    reading = Reading(0.0, [long, days(1)], many, [Away("Staff", "office is not up", "", "alpesctl up")])
    shown = _screen(_result(reading, Rates({}, {})), reading)
    assert [(table.title, len(table.rows)) for table in shown.tables] == [
        ("Away", 1),
        ("Waiting in the topics", 20),
        ("By shop", 8),
        ("By day: 1,000 counted", 1),
    ]
    assert shown.tables[0].rows == [["office is not up", "alpesctl up"]]
    assert shown.tables[2].rows[-1] == ["… 13 more", ""]


def test_a_screen_must_leave_out_topics_that_are_not_known() -> None:
    reading = Reading(0.0, [days(1)], None, [Away("Waiting in the topics", "the bus is silent")])
    shown = _screen(_result(reading, Rates({}, {})), reading)
    assert [table.title for table in shown.tables] == ["Away", "By day: 1,000 counted"]
