print("Hello from a Python package.")
