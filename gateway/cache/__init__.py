"""The response cache: answers to exactly the same input, kept in this worker's memory and shared through Redis."""
