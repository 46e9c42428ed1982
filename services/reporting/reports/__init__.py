"""Reports: figures put together for readers."""
