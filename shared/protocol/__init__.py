"""The wire between till and server: messages, limits, cursors, request signatures."""
