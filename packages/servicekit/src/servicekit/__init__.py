"""What the services of this repository share, whatever they serve."""
