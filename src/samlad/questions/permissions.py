"""Who may see, decide and answer. Customers and guests ask; everybody reads what is published."""

from samlad.access.permissions import Role, permission

READ = permission(
    "questions.read",
    "See all questions about products, also those that wait or were declined",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
ANSWER = permission(
    "questions.answer",
    "Answer questions about products for the shop",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
)
MODERATE = permission(
    "questions.moderate",
    "Publish and decline questions about products and what buyers answer",
    Role.MANAGER,
    Role.SUPPORT,
    Role.MARKETING,
    shop_wide=True,
)
