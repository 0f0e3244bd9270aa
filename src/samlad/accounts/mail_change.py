"""Another e-mail address for an account: the one that it is and the one that it will be both say yes."""

from datetime import timedelta

from samlad.access import tokens
from samlad.accounts import mails, store
from samlad.accounts.events import AccountCredentialChanged
from samlad.accounts.model import MAIL_CHANGE_HOURS, Account, MailChange, NotGood, SignedIn
from samlad.accounts.sessions import require_fresh
from samlad.accounts.welcome import seen
from samlad.channels import Channel, Resource
from samlad.kernel import log, mail
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.kernel.vault import Vault


async def ask(
    tx: Tx, keys: Vault, signed: SignedIn, channel: Channel, email: str, *, base_url: str, locale: str
) -> MailChange:
    """Write to both addresses. An earlier change that waits is replaced.

    Whether somebody else has an account with the new address is not told here, only to who reads what is sent there.

    Raises:
        SignInAgain: too long since they signed in. InvalidInput: it is the address already.
    """
    require_fresh(signed)
    if email == signed.account.email:
        raise InvalidInput.at("email", "this is your address already")
    new, old = tokens.new_token(), tokens.new_token() if signed.account.email else None
    until = now() + timedelta(hours=MAIL_CHANGE_HOURS)
    old_hash = tokens.token_hash(old) if old else None
    await store.put_mail_change(tx, signed.account.id, email, tokens.token_hash(new), old_hash, until)
    for to, token, is_new in ((email, new, True), (signed.account.email, old, False)):
        if to is not None and token is not None:
            href = f"{base_url.rstrip('/')}/account/mail/{token}"
            await mail.send(tx, keys, mails.confirm_address(channel, to, href, locale, is_new=is_new))
    return MailChange(email=email, new_said=False, old_said=old is None, expires_at=until)


async def confirm(tx: Tx, channel: Channel, token: str) -> MailChange:
    """Say yes for one of both addresses; with the second yes the account has the new one.

    Raises:
        NotGood: done, not wanted any more, or too old. Conflict: somebody in this shop has the address for their account.
    """
    said = await store.say_yes(tx, tokens.token_hash(token))
    account = await store.account(tx, said[0]) if said else None
    if said is None or account is None:
        raise NotGood("Ask for the change once more.")
    change = said[1]
    if change.new_said and change.old_said:
        await _switch(tx, channel, account, change.email)
    return change


async def _switch(tx: Tx, channel: Channel, account: Account, email: str) -> None:
    other = await store.by_email(tx, channel.pools[Resource.CUSTOMERS], email)
    if other is not None and other.id != account.id:
        raise Conflict("This address has an account of its own. Sign in with it.")
    await store.update(tx, account.id, {"email": email})
    await store.end_mail_change(tx, account.id)
    changed = await store.account(tx, account.id)
    assert changed is not None
    await seen(tx, channel, changed, str(new_id()))
    fact = AccountCredentialChanged(credential="email", change="changed")
    log.append(tx, fact, subject=account.id, channel=channel.id, profile=account.customer)
