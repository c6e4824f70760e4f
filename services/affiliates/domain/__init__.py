"""What affiliates, posts and their costs are. Standard library only."""
