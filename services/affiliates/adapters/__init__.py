"""The only modules of the service that know PostgreSQL and Pulsar."""
