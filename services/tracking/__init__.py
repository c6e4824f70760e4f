"""The tracking service. Must import nothing: the health probe starts through this package."""

VERSION = "0.1.0"
