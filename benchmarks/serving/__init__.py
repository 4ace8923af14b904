"""What `benchmarks.overhead` and `benchmarks.before_after` are made of: arrivals, streamed answers, servers, figures."""
