"""What the scripted Qwen says, a reply a turn, with the slips that the real one is known for.

It is fixed text and looks at nothing: whether the bug is gone afterwards is decided by the sample's own tests.
"""

from __future__ import annotations

TASK = "The test in test_cart.py fails. Find the bug in cart.py and fix it."

REPLIES = (
    # A call in a ```json fence instead of the taught tags: what 7B and below do by habit.
    """I will look at the code first.
```json
{"name": "read_file", "arguments": {"path": "cart.py"}}
```
""",
    # An edit typed from memory: the line is not quite the one in the file.
    """The total leaves out the count. I will correct it.
<tools>
{"name": "edit_file", "arguments": {"path": "cart.py"}}
<<<<<<< SEARCH
        return sum(price for name, price, count in self.items)
=======
        return sum(price * count for name, price, count in self.items)
>>>>>>> REPLACE
</tools>""",
    # A claim that is not true: nothing has been changed.
    "I have fixed the bug in cart.py: the total now counts every piece.",
    # The right place this time, and a bracket too few: written as it is, it would break the file.
    """You are right, the file is as it was. Now with the line as it stands in the file.
<tools>
{"name": "edit_file", "arguments": {"path": "cart.py"}}
<<<<<<< SEARCH
        return sum(price for _, price, count in self.items)
=======
        return sum(price * count for _, price, count in self.items
>>>>>>> REPLACE
</tools>""",
    # The same with its bracket.
    """The closing bracket is missing.
<tools>
{"name": "edit_file", "arguments": {"path": "cart.py"}}
<<<<<<< SEARCH
        return sum(price for _, price, count in self.items)
=======
        return sum(price * count for _, price, count in self.items)
>>>>>>> REPLACE
</tools>""",
    """Now the tests.
<tools>
{"name": "run", "arguments": {"command": "python3 -m unittest -q"}}
</tools>""",
    "`Cart.total` added each price once and ignored the count. It now multiplies the price by the count, and the tests "
    "pass.",
)
