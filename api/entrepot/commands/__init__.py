"""The commands of `entrepot`, one module for each command or group. What is slow to import, they import when they run."""
