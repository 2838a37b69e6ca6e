"""The line of a module in the meter, lent to another program: how that one shows that it may, and what is said beside the bytes.

Both ends use it: the port ``module://`` of this library, and the program on the module. This package does not know sockets,
clocks, or what the bytes on the line mean.
"""
