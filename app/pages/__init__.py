"""The pages: they read through the container and hand values to components."""
