"""MQTT 3.1.1 and 5 from a client's side, as bytes: packets, and what may come when.

It is written for a program that publishes much and hears little: QoS 0 and 1 both ways, a will, user and password, the broker's
limits and reasons. This package does not know sockets, clocks, asyncio, or anything of this program. The parts, from the bottom: numbers
and texts (:mod:`.fields`), packets (:mod:`.packets`), the state of a connection (:mod:`.machine`).

Sections are those of MQTT 5.0 (OASIS Standard, 7 March 2019) unless 3.1.1 (OASIS Standard, 29 October 2014) is named.
"""
