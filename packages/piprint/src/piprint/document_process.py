"""The former name of :mod:`piprint.documents.process`: messages of older jobs tell people to start it by this name.

A processor that runs while it is updated starts it by this name, too.
"""

from piprint.documents.process import main

if __name__ == "__main__":
    main()
