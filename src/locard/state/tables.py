# SPDX-License-Identifier: Apache-2.0
"""Every table of the state, gathered so that the migrations see the whole schema.

A module of this package that defines tables is found here by itself: importing the package's
modules is what registers them.
"""

from importlib import import_module
from pkgutil import iter_modules

import locard.state as package
from locard.state.database import Table

for _module in iter_modules(package.__path__, f"{package.__name__}."):
    if _module.name != __name__ and not _module.ispkg:
        import_module(_module.name)

__all__ = ["Table"]
