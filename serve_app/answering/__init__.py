"""The way of one question, from its text to its last event. Ports in, events out; no Ray, no HTTP."""
