"""A small shop for the tests of the file tools: one source file, `src/cart.py`."""

from __future__ import annotations

from pathlib import Path

from qagent.workspace.place import Workspace

CART = """\
import os


class Cart:
    # what it costs
    @property
    def total(self):
        return 0

    def add(self, price):
        self.prices.append(price)


def total():
    return 1
"""


def cart_shop(folder: Path) -> Workspace:
    (folder / "src").mkdir()
    (folder / "src" / "cart.py").write_text(CART)
    return Workspace.open(folder)


def numbered(count: int) -> str:
    return "".join(f"line {number}\n" for number in range(1, count + 1))
