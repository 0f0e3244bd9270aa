"""Who may see and change how is taxed. Rates are no secret for who works here."""

from samlad.access.permissions import Role, permission

READ = permission(
    "tax.read",
    "See tax rates, registrations and VAT numbers",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
CHANGE = permission("tax.change", "Change tax classes, rates and registrations", Role.MANAGER, shop_wide=True)
REPORT = permission("tax.report", "See what was taken of which tax, and where", Role.MANAGER, shop_wide=True)
