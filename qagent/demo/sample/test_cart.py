import unittest

from cart import Cart


class CartTest(unittest.TestCase):
    def test_an_empty_cart_costs_nothing(self):
        self.assertEqual(Cart().total(), 0)

    def test_the_total_counts_every_piece(self):
        cart = Cart()
        cart.add("tea", 350, count=2)
        cart.add("cup", 800)
        self.assertEqual(cart.total(), 1500)


if __name__ == "__main__":
    unittest.main()
