"""What Home Assistant is asked and told directly, beside MQTT: its statistics are repaired after a gap.

This package does not know MQTT, nor how a gap was filled.
"""
