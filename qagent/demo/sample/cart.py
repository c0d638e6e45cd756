"""A shopping cart. Prices are in cents."""


class Cart:
    def __init__(self):
        self.items = []

    def add(self, name, price, count=1):
        self.items.append((name, price, count))

    def total(self):
        """The sum over all items."""
        return sum(price for _, price, count in self.items)

    def names(self):
        return sorted(name for name, _, _ in self.items)
