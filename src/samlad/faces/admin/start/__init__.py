"""The set-up path of a new shop: from nothing to the first sale without reading (`docs/how-to/open-a-shop.md`)."""
