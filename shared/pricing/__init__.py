"""From a basket and a programme to what is paid, why, and what it earns."""
