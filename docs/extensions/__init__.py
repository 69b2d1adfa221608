"""What the site has beyond the pages."""
