"""A dog: a body of any build, posed by programs of motion within its joints' limits, and its coat."""
