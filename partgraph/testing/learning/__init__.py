"""What data sets, models, losses and trained networks must do for `partgraph.learning` to work with them."""
