"""Old history from files: how they are read, what of it may come in, and how that is told.

``sources`` read a file into lines, ``times`` and ``amounts`` understand their cells, ``judge`` says which readings may be believed,
``bringing`` puts them into the database and ``telling`` says what became of it.

This package does not know the command line, meters, MQTT or HTTP.
"""
