"""One module for each service that has spot prices: the request it takes, and its answer read.

What they read is hostile until it was read: an answer that is not as documented is a
:class:`~nes2mqtt.prices.spot_price.PriceError`, and never a price of 0.

This package does not send anything, and does not know when what is asked for.
"""
