"""The window: paints views, forwards intents, knows nothing else."""
