"""The whole engine in one process, against systems in memory, on simulated time: a run is a function of a seed.

- ``ground``: what is simulated: the built-in company, or a user's own ``hub.yaml`` and mappings.
- ``systems``, ``ports``, ``quirks``: products in memory that misbehave, and the connectors that speak to them.
- ``workers``, ``scenes``: passes that can be stopped, killed or overtaken between any two steps.
- ``world``, ``people``, ``chance``: what happens; every event is a small dict: a story can be kept and replayed.
- ``witness``, ``judge``, ``told``: a model of its own of who wrote what, and the laws it is held against.
- ``life``, ``shrink``, ``story``, ``crowd``: one seed, its shortest failing story, that story in words, and many seeds.

The engine knows nothing of any of this. What it is given are its ordinary arguments: clock, ids, store, connectors and
the pool its calls run in.
"""
