"""Gaps in the history, filled from the meter's own load profile.

This package does not know how a meter is reached, nor where readings are kept.
"""
