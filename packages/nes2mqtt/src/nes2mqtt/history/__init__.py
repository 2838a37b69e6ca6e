"""The history: every reading kept, rolled up, and asked for again.

``store`` is the face that the rest of the program uses, with ``outbox`` (durable queues of register readings for
brokers), ``event_log``, ``feeds`` (what brokers get besides readings) and ``running_energy`` beside it. Behind it are ``writing`` (one thread), ``queries`` (threads that read),
``tables`` (what stands in the database) and ``database`` (the file itself). ``importing`` brings in what was kept
elsewhere; ``commands`` work beside the gateway.

This package does not know meters, MQTT or HTTP.
"""
