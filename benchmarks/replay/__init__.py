"""What `benchmarks.cache_replay` is made of: a day's questions, a shop with canaries, two processes, one clock, a judge."""
