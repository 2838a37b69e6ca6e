"""A stand-in for Business Central, to try and to test everything without one.

:mod:`piprint.simulate.server` is the way in. This room knows the contract and the payloads, and nothing of the client: a
mistake that both shared would be found by nobody.
"""
