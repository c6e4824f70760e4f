"""An event carries its id wherever its file puts it."""

from alpesctl.experiments.ids import bucket
from alpesctl.experiments.model import Event
from alpesctl.experiments.template import EventTemplate, InTurn


def test_the_id_is_put_into_body_headers_and_properties() -> None:
    event = Event({"id": "{id}", "é": ["{id}"]}, {"p": "x{id}"}, {"h": "{id}{id}"})
    sent = EventTemplate(event)("7")
    assert sent.body == '{"id":"7","é":["7"]}'.encode()
    assert (sent.properties, sent.headers, sent.key) == ({"p": "x7"}, {"h": "77"}, "7")


def test_a_raw_body_is_sent_as_it_is() -> None:
    assert EventTemplate(Event({}, raw=b"\xff {id} {"))("7").body == b"\xff 7 {"


def test_keys_are_buckets_of_the_id() -> None:
    assert EventTemplate(Event({"id": "{id}"}, buckets=64))("7").key == bucket("7", 64)


def test_events_take_turns() -> None:
    events = InTurn([Event({"a": "{id}"}), Event({"b": "{id}"})])
    assert [events(n, "7").body for n in range(3)] == [b'{"a":"7"}', b'{"b":"7"}', b'{"a":"7"}']
