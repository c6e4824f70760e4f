"""The affiliates service."""
