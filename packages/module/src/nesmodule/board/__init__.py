"""What the chip has, as the other rooms see it: time, settings; later pins, network and storage.

This room does not know meters or outputs.
"""
