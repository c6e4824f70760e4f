"""What is wrong with a machine and a stack, and the way out: facts are gathered, and pure checks judge them."""
