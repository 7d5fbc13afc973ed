"""Engines outside the gateway (virus and spam scanners) as filters use them: several of one kind, each with a breaker
(`breaker.py`), asked so that the load is spread and one that fails or dawdles is made up for by another (`spread.py`).

A filter that asks engines offers them as `engines`, for the metrics `engine_up` and `breaker_state`.
"""
