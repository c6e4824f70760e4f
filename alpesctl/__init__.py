"""alpesctl: brings an event-driven stack up, breaks it under load, and proves what was counted."""

__version__ = "0.1.0"
