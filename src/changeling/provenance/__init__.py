"""Consent before a face is used, and a content credential on everything that leaves."""

from changeling.provenance.consent import (
    QUESTIONS,
    Consent,
    Use,
    ask_consent,
    new_consent,
)
from changeling.provenance.consent_file import read_consent, write_consent
from changeling.provenance.credential import Credential, Ingredient, Source, sha256
from changeling.provenance.enrolment import FEWEST_PICTURES, Enrolment
from changeling.provenance.publishing import publish, signed_png
from changeling.provenance.signer import Signer, configuration_folder, find_signer, make_signer
from changeling.provenance.verifying import State, Verification, verify

__all__ = [
    "FEWEST_PICTURES",
    "QUESTIONS",
    "Consent",
    "Credential",
    "Enrolment",
    "Ingredient",
    "Signer",
    "Source",
    "State",
    "Use",
    "Verification",
    "ask_consent",
    "configuration_folder",
    "find_signer",
    "make_signer",
    "new_consent",
    "publish",
    "read_consent",
    "sha256",
    "signed_png",
    "verify",
    "write_consent",
]
