"""What a page says: facts read once from its bytes."""
