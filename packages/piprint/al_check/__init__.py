"""The gate of the AL extension: reads its sources by the grammar tree-sitter-al and says what Microsoft's compiler would.

It is no compiler: it knows the language's shape, the extension's own objects and the few things of Business Central the
extension touches (:mod:`al_check.platform`). It runs in an environment of its own (``tools/al_environment.py``), because the
grammar has a C module; piprint itself never imports it.

    python -m al_check FOLDER [--json]
"""
