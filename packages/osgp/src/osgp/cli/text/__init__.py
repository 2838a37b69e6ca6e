"""Results as text: for a terminal, a pipe or a script. This package does not know the commands, and asks no meter."""
