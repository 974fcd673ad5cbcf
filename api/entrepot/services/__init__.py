"""What the program does: plain functions with keyword arguments that raise `entrepot.errors`. They know no HTTP and no GraphQL."""
