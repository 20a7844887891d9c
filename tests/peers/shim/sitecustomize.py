"""Names that python-astm 0.5.0 (2013) takes from `collections` and that Python 3.10 moved to `collections.abc`.

Python imports this module by itself when its folder is on PYTHONPATH: while the package is built, and while it runs.
"""

import collections
import collections.abc

for name in ("Iterable", "Mapping", "MutableMapping"):
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))
