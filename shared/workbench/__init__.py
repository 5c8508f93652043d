"""Baskets in, results out: trying a programme without a till.

``scenario`` is the document that describes a shop, its members and what happens step by step,
``shop`` plays it with the engine that tills use, ``result`` is what comes out.
"""
