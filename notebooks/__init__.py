"""One notebook for each method, and the command that executes them."""
