"""The ``piprint`` command."""
