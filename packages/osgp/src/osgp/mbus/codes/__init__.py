"""What the code bytes of M-Bus records mean, as tables.

The standard is EN 13757-3, which is not free and was not read for this. The tables hold facts on which programs agree that
have read meters for years; each row names them:

* libmbus (rscada, BSD licence), its table of value information and its frames of real meters with results,
* m-bus-parser (maebli, MIT licence), its match arms,
* wmbusmeters (GPL licence): facts only, no line of it is here.

Where they disagree, the row says so or the code is left out: a record with a code that is not here keeps its raw bytes.

This package does not know how a record is cut out of a telegram.
"""
