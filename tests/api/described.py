"""The OpenAPI document that the tests of this folder read; making it takes seconds, so it is made once."""

from samlad.app import create
from samlad.kernel.openapi import document
from samlad.kernel.settings import load

DOCUMENT = document(create(load({})))
