"""What cache_truth is made of: the sets, the asking, the counting."""
