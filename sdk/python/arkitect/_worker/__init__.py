"""What a Worker is made of. Nothing here is public."""
