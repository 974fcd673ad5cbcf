"""Archives from strangers, read piece by piece within bounds of time and memory. Package types have these readers from entrepot.plugin."""
