"""Pulsar: connections that outlive outages, topics, messages. Must not know what the messages mean."""
