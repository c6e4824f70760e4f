"""The database's history, applied by `services.affiliates.setup`."""
