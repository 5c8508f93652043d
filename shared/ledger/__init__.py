"""Double entry: what each fact books, and balances as a fold over it."""
