"""AlpesPartners' services, and the packages that they share, each named for what it does: process, messaging, storage,
web. Must import nothing: the health probe starts through this package."""

VERSION = "0.1.0"
