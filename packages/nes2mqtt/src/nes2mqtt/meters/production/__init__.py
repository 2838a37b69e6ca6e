r"""What a solar inverter gives, told by MQTT: for the share of it that the house uses itself.

    message -> counting -> store
         \--> what is given now

This room does not know meters, brokers or pages.
"""
