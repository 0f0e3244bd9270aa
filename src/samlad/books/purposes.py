"""What is booked (purposes), and on which account each is, by country.

A purpose may be narrowed: ``sales:2500:NL`` is sales at 25.00 % to the Netherlands. An account is looked for under the
whole of it, then under ``sales:2500``, then (to another country than the book's) ``sales:abroad``, then ``sales``. What a
special rule taxes says so at its end (``sales:0:SE:intra_eu``) and is looked for under ``sales:intra_eu`` before that.

Numbers for Sweden follow the BAS chart of accounts (BAS-kontogruppen, bas.se); elsewhere a neutral chart holds.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from samlad.books.model import Account
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput

PURPOSES: dict[str, str] = {
    "sales": marked("Sales of goods, by tax rate and country"),
    "tax": marked("Output tax, by tax rate and country"),
    "shipping": marked("Delivery fees that customers pay"),
    "fees": marked("Other fees that customers pay"),
    "discounts": marked("Discounts given"),
    "given_away": marked("Goods given away: a discount of the whole price"),
    "rounding": marked("Rounding of cash"),
    "adjustments": marked("Corrections of imported orders"),
    "receivables": marked("What customers owe, or have paid too early"),
    "prepayments": marked("Paid goods that were not handed over yet"),
    "refunds_to_pay": marked("Refunds on their way"),
    "unmatched": marked("Money that came in and nobody knows what for"),
    "cash": marked("Cash in drawers, by location"),
    "safe": marked("Cash outside of drawers"),
    "tips": marked("Tips that are still to be paid out to the staff"),
    "wages_payable": marked("Tips that come with the wages"),
    "bank": marked("Bank account"),
    "petty_cash": marked("Expenses paid from a drawer"),
    "till_difference": marked("Differences of drawers and card totals"),
    "clearing": marked("What payment providers owe, by provider"),
    "gift_cards": marked("Gift cards that can still be spent"),
    "gift_cards_sold": marked("Gift cards sold: takes them out of the sales that they were rung up as"),
    "store_credit": marked("Store credit that can still be spent"),
    "credit_given": marked("Gift cards and store credit given away"),
    "credit_expired": marked("Gift cards that expired"),
    "cost_of_goods": marked("Cost of goods sold"),
    "stock": marked("Stock at cost"),
    "stock_difference": marked("Stock lost, broken or found"),
    "suppliers_owe": marked("What suppliers are to credit for goods that went back"),
    "suppliers_credited": marked("What suppliers credited: less is owed to them"),
    "supplier_difference": marked("Goods sent back for more or less than they cost"),
    "imported": marked("Settlement of imported orders"),
    "provider_fees": marked("What payment providers keep for themselves"),
    "provider_adjustments": marked("Disputes and other corrections of payment providers"),
    "loyalty_points": marked("Points that members can still use, at their fair value"),
    "loyalty_earned": marked("Points given, less those taken back"),
    "loyalty_used": marked("Points that became rewards"),
    "loyalty_expired": marked("Points that expired"),
}
"""Every purpose that is booked, in plain words. Others are refused."""

_SWEDEN: dict[str, tuple[str, str]] = {
    "sales": ("3000", "Försäljning inom Sverige"),
    "sales:2500": ("3001", "Försäljning inom Sverige, 25 % moms"),
    "sales:1200": ("3002", "Försäljning inom Sverige, 12 % moms"),
    "sales:600": ("3003", "Försäljning inom Sverige, 6 % moms"),
    "sales:0": ("3004", "Försäljning inom Sverige, momsfri"),
    "sales:abroad": ("3106", "Försäljning varor till annat EU-land, momspliktig"),
    "tax": ("2610", "Utgående moms"),
    "tax:2500": ("2611", "Utgående moms på försäljning inom Sverige, 25 %"),
    "tax:1200": ("2621", "Utgående moms på försäljning inom Sverige, 12 %"),
    "tax:600": ("2631", "Utgående moms på försäljning inom Sverige, 6 %"),
    "tax:abroad": ("2670", "Utgående moms på försäljning inom EU, OSS"),
    "shipping": ("3520", "Fakturerade frakter"),
    "fees": ("3590", "Övriga fakturerade kostnader"),
    "discounts": ("3730", "Lämnade rabatter"),
    "given_away": ("3739", "Övriga lämnade rabatter"),
    "rounding": ("3740", "Öres- och kronutjämning"),
    "adjustments": ("3790", "Övriga intäktskorrigeringar"),
    "receivables": ("1510", "Kundfordringar"),
    "prepayments": ("2420", "Förskott från kunder"),
    "refunds_to_pay": ("2490", "Övriga kortfristiga skulder till kunder"),
    "unmatched": ("2999", "OBS-konto"),
    "cash": ("1910", "Kassa"),
    "safe": ("1912", "Växelkassa"),
    "tips": ("2899", "Övriga kortfristiga skulder: dricks till personalen"),
    "wages_payable": ("2821", "Löneskulder"),
    "bank": ("1930", "Företagskonto"),
    "petty_cash": ("6990", "Övriga externa kostnader"),
    "till_difference": ("6991", "Kassadifferenser"),
    "clearing": ("1580", "Fordringar för kontokort och kuponger"),
    "clearing:bank_transfer": ("1930", "Företagskonto"),
    "clearing:history": ("1930", "Företagskonto"),
    "clearing:invoice": ("1930", "Företagskonto"),
    "gift_cards": ("2421", "Ej inlösta presentkort"),
    "gift_cards_sold": ("3004", "Försäljning inom Sverige, momsfri"),
    "store_credit": ("2429", "Övriga förskott från kunder"),
    "credit_given": ("5990", "Övriga kostnader för reklam och PR"),
    "credit_expired": ("3990", "Övriga ersättningar och intäkter"),
    "cost_of_goods": ("4960", "Förändring av lager av handelsvaror"),
    "stock": ("1460", "Lager av handelsvaror"),
    "stock_difference": ("4990", "Lagerdifferenser"),
    "suppliers_owe": ("1687", "Kortfristiga fordringar hos leverantörer"),
    "suppliers_credited": ("2440", "Leverantörsskulder"),
    "supplier_difference": ("4970", "Differenser vid returer till leverantörer"),
    "imported": ("2998", "Importerade ordrar"),
    "sales:intra_eu": ("3108", "Försäljning varor till annat EU-land, momsfri"),
    "sales:reverse_charge": ("3308", "Försäljning tjänster till annat EU-land"),
    "sales:export": ("3105", "Försäljning varor till land utanför EU"),
    "sales:margin": ("3200", "Försäljning VMB"),
    "tax:margin": ("2616", "Utgående moms VMB"),
    "provider_fees": ("6040", "Kontokortsavgifter"),
    "provider_adjustments": ("6390", "Övriga kostnader för riskhantering"),
    "loyalty_points": ("2428", "Ej inlösta bonuspoäng"),
    "loyalty_earned": ("3735", "Lämnade bonuspoäng"),
    "loyalty_used": ("3736", "Inlösta bonuspoäng"),
    "loyalty_expired": ("3737", "Förfallna bonuspoäng"),
}

_NEUTRAL: dict[str, tuple[str, str]] = {
    "sales": ("4000", "Sales"),
    "sales:0": ("4009", "Sales without tax"),
    "sales:abroad": ("4010", "Sales abroad"),
    "tax": ("2200", "Output tax"),
    "tax:abroad": ("2210", "Output tax of other countries"),
    "shipping": ("4100", "Delivery fees"),
    "fees": ("4110", "Other fees"),
    "discounts": ("4200", "Discounts given"),
    "given_away": ("4210", "Goods given away"),
    "rounding": ("4220", "Cash rounding"),
    "adjustments": ("4230", "Corrections of imported orders"),
    "receivables": ("1100", "Receivables"),
    "prepayments": ("2100", "Advances from customers"),
    "refunds_to_pay": ("2110", "Refunds to pay"),
    "unmatched": ("2120", "Unmatched money"),
    "cash": ("1000", "Cash in drawers"),
    "safe": ("1010", "Cash outside of drawers"),
    "tips": ("2170", "Tips owed to staff"),
    "wages_payable": ("2175", "Wages payable"),
    "bank": ("1020", "Bank"),
    "petty_cash": ("6000", "Petty cash expenses"),
    "till_difference": ("6010", "Till differences"),
    "clearing": ("1030", "Payment providers"),
    "clearing:bank_transfer": ("1020", "Bank"),
    "clearing:history": ("1020", "Bank"),
    "clearing:invoice": ("1020", "Bank"),
    "gift_cards": ("2130", "Gift cards"),
    "gift_cards_sold": ("4009", "Sales without tax"),
    "store_credit": ("2140", "Store credit"),
    "credit_given": ("6020", "Gift cards and credit given away"),
    "credit_expired": ("4300", "Expired gift cards"),
    "cost_of_goods": ("5000", "Cost of goods sold"),
    "stock": ("1200", "Stock"),
    "stock_difference": ("5010", "Stock differences"),
    "suppliers_owe": ("1120", "Credits expected from suppliers"),
    "suppliers_credited": ("2010", "Suppliers"),
    "supplier_difference": ("5020", "Differences of returns to suppliers"),
    "imported": ("2150", "Imported orders"),
    "sales:intra_eu": ("4011", "Sales to businesses in the EU, without tax"),
    "sales:reverse_charge": ("4012", "Services to businesses in the EU, reverse charge"),
    "sales:export": ("4013", "Exports"),
    "sales:margin": ("4014", "Sales under the margin scheme"),
    "tax:margin": ("2220", "Output tax on margins"),
    "provider_fees": ("6030", "Fees of payment providers"),
    "provider_adjustments": ("6040", "Disputes of payments"),
    "loyalty_points": ("2160", "Loyalty points"),
    "loyalty_earned": ("4240", "Loyalty points given"),
    "loyalty_used": ("4250", "Loyalty points used"),
    "loyalty_expired": ("4310", "Expired loyalty points"),
}


def base_of(purpose: str) -> str:
    """``sales`` of ``sales:2500:NL``."""
    return purpose.partition(":")[0]


def check(purpose: str) -> None:
    """Refuse what is never booked.

    Raises:
        InvalidInput: naming the purposes that there are.
    """
    if base_of(purpose) not in PURPOSES or len(purpose) > 80:
        raise InvalidInput.at("purpose", f"unknown; there are {', '.join(PURPOSES)}, narrowed with a colon")


def chart(country: str) -> Mapping[str, tuple[str, str]]:
    """The default accounts, number and name by purpose."""
    return _SWEDEN if country == "SE" else _NEUTRAL


def steps(purpose: str, country: str) -> list[str]:
    """Under what an account of a purpose is looked for, the most exact first."""
    parts = purpose.split(":")
    found = [":".join(parts[:length]) for length in range(len(parts), 0, -1)]
    if len(parts) == 4:
        return [purpose, f"{parts[0]}:{parts[3]}", *steps(":".join(parts[:3]), country)]
    if len(parts) == 3 and parts[2] != country:
        # What holds for a rate at home does not hold for the same rate of another country.
        found[1:2] = [f"{parts[0]}:abroad"]
    return found


def treatment_of(purpose: str) -> str:
    """The special rule that a purpose names at its end, or nothing."""
    parts = purpose.split(":")
    return parts[3] if len(parts) == 4 else ""


def account_of(purpose: str, day: date, country: str, own: Iterable[Account]) -> Account:
    """The account of a purpose on a day: the shop's own, else the default chart's; the most exact wins.

    Raises:
        InvalidInput: a purpose that is never booked.
    """
    check(purpose)
    mapped: dict[str, Account] = {}
    for one in own:
        if one.valid_from is not None and one.valid_from <= day:
            known = mapped.get(one.purpose)
            if known is None or known.valid_from is None or known.valid_from < one.valid_from:
                mapped[one.purpose] = one
    defaults = chart(country)
    for step in steps(purpose, country):
        if step in mapped:
            return mapped[step]
        if step in defaults:
            number, name = defaults[step]
            return Account(purpose=step, number=number, name=name)
    raise InvalidInput.at("purpose", f"no account for {purpose}")
