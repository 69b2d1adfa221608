"""A human figure: a body of any shape, posed by motion capture, drawn into an image with its 3D joints."""
