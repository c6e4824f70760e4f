"""One-shot: migrations, topics, subscriptions. Idempotent; ends with 0 once everything is there.

`python -m services.affiliates.setup`, or with the revision to go back to: `… --down 0001`
"""

from __future__ import annotations

from services import setup
from services.affiliates.settings import Settings
from services.messaging.topics import DEAD_LETTER_SUBSCRIPTION, dead_letters_of


def main() -> None:
    settings = Settings()
    own = settings.subscription_name_affiliates
    topics: list[tuple[str, str | None]] = [(settings.events, None)]
    for topic in (settings.commands, settings.tracking_events):
        topics += [(topic, own), (dead_letters_of(topic), DEAD_LETTER_SUBSCRIPTION)]
    setup.run("affiliates", settings, topics)


if __name__ == "__main__":
    main()
