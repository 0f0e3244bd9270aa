"""The faces: the pages and scripts of admin, storefront, till and account. Their common looks are in `design`."""
