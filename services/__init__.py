"""The use cases, the storage that keeps them and the wires that carry them."""
