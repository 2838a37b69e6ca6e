"""What a meter does for the client of a MEP port, and for nobody else: which port it is, alerts, transactions.

This package does not know how a port is opened, nor who may write.
"""
