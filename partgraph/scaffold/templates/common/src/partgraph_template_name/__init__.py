"""TEMPLATE-SUMMARY, as a plugin of PartGraph."""
