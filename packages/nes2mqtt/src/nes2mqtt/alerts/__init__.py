"""What needs attention: rules over what meters measure and say, when they are raised and cleared, and who is told.

``rule`` and ``values`` decide from a value and a moment, ``book`` remembers what is raised and decides what is told when,
``keeper`` feeds it from the hub and keeps it on disk, ``channels`` bring what is told to people, in the words of ``words``.

This package does not know MQTT nor the page.
"""
