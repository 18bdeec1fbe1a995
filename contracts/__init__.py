"""What two Headrace processes agree on, and nothing else."""
