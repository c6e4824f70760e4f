"""The database's history, applied by `services.tracking.setup`."""
