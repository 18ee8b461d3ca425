import { apiKeyKind } from "./api-key.ts";
import { bearerKind } from "./bearer/bearer-scheme.ts";
import { clientCertificateKind } from "./client-certificate/client-certificate-scheme.ts";
import { forwardAuthKind } from "./forward-auth.ts";
import { cookieKind, oAuth2Kind, openIdConnectKind, wsFederationKind } from "../sign-in/sign-in-kinds.ts";
import type { SchemeKind, SchemeSection } from "./scheme-kind.ts";

/** Every kind that configuration knows, by its section. */
export const schemeKinds: { readonly [S in SchemeSection]: SchemeKind<S> } = {
  apiKey: apiKeyKind,
  bearer: bearerKind,
  clientCertificate: clientCertificateKind,
  cookie: cookieKind,
  forwardAuth: forwardAuthKind,
  openIdConnect: openIdConnectKind,
  oAuth2: oAuth2Kind,
  wsFederation: wsFederationKind,
};
