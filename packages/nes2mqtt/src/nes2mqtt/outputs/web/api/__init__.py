"""What programs ask for: the REST API under ``/api/v1``, and ``/metrics`` for Prometheus.

This package does not know who may ask; the gate has decided that.
"""
