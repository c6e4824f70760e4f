"""How a process of any service begins, tells of itself and ends. Must import nothing: the health probe starts here."""
