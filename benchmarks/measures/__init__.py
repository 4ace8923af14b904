"""What `benchmarks.before_after` is made of: each measure as a switch, the shop, its conversations."""
