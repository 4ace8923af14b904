"""What a peak takes: the parts of `benchmarks.capacity`."""
