"""Training and evaluation over the registries; the only part of the core that uses torch."""
