"""A discrete-event model of a fleet of model replicas, and the routers that are compared on it."""
