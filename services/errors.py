"""What can be wrong with an event, a command or a message; named, so that callers and dead letters can say it.

ServiceError
├── RuleBroken        a field of an event breaks a rule
├── NothingAttempted  an event is neither on its way nor stored, and won't be
├── InDoubt           an event may have been accepted, or may yet be
├── KeyReused         an id is that of another event
├── Unacceptable      the store refuses a batch because of what is in it, not of its own state
└── Refuses           the store refuses every batch because of its own state, until somebody mends it
"""

from __future__ import annotations


class ServiceError(Exception):
    """Root of the tree."""


class RuleBroken(ServiceError):
    """`field` is the offending member of the body ("" for the body itself), `rule` a stable name."""

    def __init__(self, field: str, rule: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.field = field
        self.rule = rule
        self.detail = detail


class NothingAttempted(ServiceError):
    """The event was given to nobody: it may be sent again as if it had never been."""


class InDoubt(ServiceError):
    """The event was handed over, and nobody said what became of it."""


class KeyReused(ServiceError):
    """An event with this id and another body is accepted already; this one was not."""


class Unacceptable(ServiceError):
    """Some member of a batch can't be stored, now or later."""


class Refuses(ServiceError):
    """The store can't work as it is: no table, no right, a damaged page. The events are good, and wait."""
