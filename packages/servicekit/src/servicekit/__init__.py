"""What the services of this repository share, whatever they serve."""

__version__ = "0.1.0"
