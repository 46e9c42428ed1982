"""The four services. They know nothing of each other but the facts they publish."""
