"""A stand-in for Business Central, to try everything without one.

:mod:`piprint.simulate.server` is the way in. It knows the contract and the payloads, nothing of the client.
"""
