"""Inference: the model's replicas, and the way to them."""
