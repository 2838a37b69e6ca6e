"""A connection to a broker: made again for ever, and what is said and answered on it.

This package does not know topics or readings.
"""
