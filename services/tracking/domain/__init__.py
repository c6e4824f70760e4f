"""What an interaction is and when it counts. Standard library only."""
