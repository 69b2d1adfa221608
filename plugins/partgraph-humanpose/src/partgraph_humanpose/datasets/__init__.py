"""Readers of the data sets on which the paper trains and reports: Human3.6M, MPII and LSP."""
