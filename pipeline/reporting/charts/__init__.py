"""Inline SVG charts without dependencies; colours come from the page's CSS custom properties."""
