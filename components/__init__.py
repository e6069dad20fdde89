"""NiceGUI pieces: values in, callbacks out."""
