"""What electricity costs: dated contracts made of the lines of a bill, and the sums they make of measured energy.

A :class:`~nes2mqtt.costs.contract.Contract` is a list of lines as they stand on the paper bill: spot price, grid tariff by
the time of day, taxes, subscriptions. :mod:`~nes2mqtt.costs.calculation` turns the energy of quarter hours into amounts of
each line; :mod:`~nes2mqtt.costs.peaks` knows the tariffs that charge for the highest use. Amounts are decimal numbers from
text to sum, never floating point. What has no price yet is *pending*: it is counted, and never taken for 0.

This package knows neither the history nor where prices come from; both are passed in. It keeps nothing.
"""
