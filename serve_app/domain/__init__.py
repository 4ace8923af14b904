"""Decisions: pure functions and frozen values. Nothing here imports Ray, Redis, vLLM, SQL or HTTP."""
