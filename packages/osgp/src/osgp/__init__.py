"""Talk to an Echelon/NES (OSGP) smart meter, decode its tables, and simulate such a meter."""

__version__ = "0.1.0"
