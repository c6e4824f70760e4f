"""AlpesPartners' services. Must import nothing: the health probe starts through this package."""
