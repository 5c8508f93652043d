"""The facts: what can happen at a till or on the server, with its outcomes, written down once."""
