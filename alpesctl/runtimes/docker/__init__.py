"""The Docker runtime. Nothing imports this package, and with it the SDK, unless Docker is used."""
