/** What edge policies tell the proxy's logger, with what it means. A closed set, as that of the proxy. */
export const edgeEventNames: Readonly<Record<string, string>> = {
  "sign-in-failed": "A sign-in ended without a session: the answer of the other party is none that this browser asked for, or is not good, or it cannot be asked.",
  "sign-in-store-failed": "The store of sign-ins could not be asked or told: the sign-in, the session's request or the sign-out was answered with 503.",
  "session-too-large": "A session does not fit into cookies: the sign-in was answered with 500, or the session stays as it was.",
  "session-refresh-failed": "The tokens of a session could not be refreshed; those that are there are used until they end.",
  "provider-unavailable": "What another party publishes of itself could not be read; what was read before is used.",
  "session-keys-unusable": "The changed file with the secrets of sessions cannot be used; the old secrets stay.",
  "forward-auth-failed": "The service that decides for a scheme could not be asked, or answered with 500 and above; the request was answered with 503.",
  "authorities-read": "The authorities that vouch for clients of a scheme were read again.",
  "authorities-unusable": "The changed file with the authorities of a scheme cannot be used; those of before stay.",
  "revocation-lists-read": "The revocation lists of a scheme were read.",
  "revocation-lists-unusable": "A revocation list of a scheme cannot be used; those of before stay until they run out.",
  "signing-keys-read": "The keys of an issuer were read and are not those of before.",
  "signing-keys-unavailable": "The keys of an issuer cannot be read; those of before go on, level error where there are none.",
  "token-exchange-failed": "The token of an identity could not be exchanged for one of the destination's; the request was answered with 503.",
};
