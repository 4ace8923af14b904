"""What `benchmarks.cache_hit` is made of: the load, the customers, the no-op beside the application, the cost of each."""
