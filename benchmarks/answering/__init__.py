"""What `benchmarks.answers` is made of. Nothing here knows how ZeroWait finds an answer: it reads the shop and the answers."""
