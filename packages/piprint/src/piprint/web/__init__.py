"""The status page and its API."""
