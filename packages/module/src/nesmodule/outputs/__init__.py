"""What the module tells others: MQTT for Home Assistant, a page with JSON.

This room does not know the line or the meter's tables; it is given what was believed.
"""
