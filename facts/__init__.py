"""What each service records, one module per aggregate: the only thing that services know of each other."""
