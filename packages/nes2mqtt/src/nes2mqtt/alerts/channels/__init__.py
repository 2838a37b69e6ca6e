"""The ways to people that are ours: a webhook and mail. ``courier`` brings one thing after another and tries again.

This package does not know when an alert is raised.
"""
