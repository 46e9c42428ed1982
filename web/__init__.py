"""The edge that all services share: who asks, what may come in, and how answers and refusals look."""
