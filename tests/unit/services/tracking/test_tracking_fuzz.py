"""Whatever a message holds, it becomes an interaction, a probe or a dead letter, soon, and one that can be stored."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from itertools import islice

import pytest

from services.tracking.adapters.counting import parameters
from services.tracking.adapters.decoding import decode
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Probe, Rejected
from services.tracking.handlers import sort
from tests.fuzz import messages
from tests.poison import KINDS, Poison
from tests.unit.services.tracking.tracking_fakes import FakeMessage

SEED = int(os.environ.get("ALPES_FUZZ_SEED", "20261124"))
MESSAGES = 100_000
LONGEST_S = 1.0  # of processor time, for one message; the slowest takes some milliseconds
_UNSTORABLE = re.compile(r"\\u0000|\\ud[89a-f]")


def test_a_hundred_thousand_messages_each_become_something_that_can_be_stored() -> None:
    print(f"ALPES_FUZZ_SEED={SEED}")
    found: Counter[type] = Counter()
    everything = messages(SEED, MESSAGES)
    while batch := list(islice(everything, 1000)):
        outcomes = []
        for message in batch:
            begun = time.thread_time()
            outcome = decode(message)
            assert time.thread_time() - begun < LONGEST_S, message
            assert isinstance(outcome, Interaction | Probe | Rejected), message
            outcomes.append(outcome)
            found[type(outcome)] += 1
        values = parameters(sort(outcomes), "w1")
        for name in ("interactions", "inbox", "letters"):
            text = values[name].replace("\\\\", "")
            pairs = re.sub(r"\\ud[89ab]..\\ud[c-f]..", "", text)
            assert not _UNSTORABLE.search(pairs)
            json.loads(values[name])
    print(dict(found))
    assert min(found[kind] for kind in (Interaction, Probe, Rejected)) > MESSAGES // 100


@pytest.mark.parametrize("poison", KINDS, ids=lambda poison: poison.kind)
def test_each_kind_of_poison_becomes_a_dead_letter_that_says_why(poison: Poison) -> None:
    outcome = decode(FakeMessage(poison.body, poison.properties))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == poison.reason
    assert outcome.body == poison.body
