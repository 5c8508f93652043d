"""Payment terminals and wallet gateways behind the port ``PaymentTerminal``."""
