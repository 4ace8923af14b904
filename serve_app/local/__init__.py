"""What `zerowait run` does to one machine: ports, processes, Valkey, Ray. Nothing here imports Ray."""
