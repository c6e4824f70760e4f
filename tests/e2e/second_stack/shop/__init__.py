"""A bookshop: what a team that knows nothing of this project's services would write."""
