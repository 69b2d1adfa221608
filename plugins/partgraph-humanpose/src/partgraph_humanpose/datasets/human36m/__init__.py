"""Human3.6M (Ionescu et al., 2014) in the layouts in which people have it."""
