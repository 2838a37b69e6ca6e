"""Bills: the energy of the history and the kept prices, put through the contracts.

:mod:`~nes2mqtt.bills.bill` makes them, :mod:`~nes2mqtt.bills.command` is ``nes2mqtt costs``. :mod:`~nes2mqtt.bills.billing` answers the page
while the gateway runs, :mod:`~nes2mqtt.bills.running_costs` keeps what brokers are told at hand.

This package knows the history, prices and contracts; it does not know how any of them came to be, and changes none.
"""
