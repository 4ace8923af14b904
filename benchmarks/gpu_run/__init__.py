"""What `benchmarks.gpu` is made of: conversations, the load in its own process, the bare engine, the graph, knee and floors."""
