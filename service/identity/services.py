"""FastAPI dependencies of sign-in, accounts and keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.http.dependencies import resource
from service.identity.cookie import SessionCookie
from service.identity.factors import Factors
from service.identity.glass import Glasses
from service.identity.passkeys import Passkeys
from service.identity.people import People
from service.identity.programs import Programs
from service.identity.refusals import Refusals
from service.identity.sessions import Sessions
from service.identity.sites import Sites

PeopleDep = Annotated[People, Depends(resource(People))]
ProgramsDep = Annotated[Programs, Depends(resource(Programs))]
SessionsDep = Annotated[Sessions, Depends(resource(Sessions))]
RefusalsDep = Annotated[Refusals, Depends(resource(Refusals))]
FactorsDep = Annotated[Factors, Depends(resource(Factors))]
GlassesDep = Annotated[Glasses, Depends(resource(Glasses))]
PasskeysDep = Annotated[Passkeys, Depends(resource(Passkeys))]
SitesDep = Annotated[Sites, Depends(resource(Sites))]
CookieDep = Annotated[SessionCookie, Depends(resource(SessionCookie))]
