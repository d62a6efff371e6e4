"""The contract suite: what a connector promises, tried against its product or a sandbox of it.

A connector declares in a ``Contract`` how a valid record of its resources looks (``declare``). The suite opens the
connector in a ``World`` (``worlds``), holds it to the rules of ``rules``, and notes what it found out on the way
(``findings``). From that follow ``capabilities.yaml``, which the engine reads (``hub.connect.guarantees``), and the
quality tier (``tiers``). ``suite.try_out`` does all of it.
"""
