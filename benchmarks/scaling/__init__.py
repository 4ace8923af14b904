"""The parts of `benchmarks.autoscale`."""
