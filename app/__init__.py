"""The edges: settings, container, HTTP, pages, commands and the sandbox."""
