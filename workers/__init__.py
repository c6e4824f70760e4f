"""Message consumers: one more entry point of the service whose commands they take."""
