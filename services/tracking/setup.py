"""One-shot: migrations, topics, subscriptions. Idempotent; ends with 0 once everything is there.

`python -m services.tracking.setup`, or with the revision to go back to: `python -m services.tracking.setup --down 0003`
"""

from __future__ import annotations

from services import setup
from services.messaging.topics import DEAD_LETTER_SUBSCRIPTION
from services.tracking.settings import Settings


def main() -> None:
    settings = Settings()
    setup.run(
        "tracking",
        settings,
        [
            (settings.topic, settings.subscription_name),
            (settings.dead_letter_topic, DEAD_LETTER_SUBSCRIPTION),
            # Whoever wants these has a subscription of its own.
            (settings.events_topic, None),
        ],
    )


if __name__ == "__main__":
    main()
