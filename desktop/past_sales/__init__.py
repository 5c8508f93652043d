"""What a shop sold before: its lines, the invoices they make, and what came back of them."""
