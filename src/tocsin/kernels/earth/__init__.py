"""The ellipsoid: geodesics and lines along them."""
