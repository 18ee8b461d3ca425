/** How schemes that keep sessions, or have another party sign users in, are made from the configuration. */
import type { CodeFlowConfig } from "@proxy/config";
import type { SchemeFault, SchemeKind } from "../authentication/scheme-kind.ts";
import { readSecrets } from "../session/session-keys.ts";
import { CookieScheme } from "./cookie-scheme.ts";
import { OAuth2Protocol } from "./oauth2.ts";
import { OpenIdConnectProtocol } from "./open-id-connect.ts";
import { RemoteScheme } from "./remote-scheme.ts";
import { keysIn, thumbprintSet } from "./ws-federation/federation-metadata.ts";
import { WsFederationProtocol } from "./ws-federation/ws-federation.ts";
import { secretIn } from "./secret-file.ts";

export const cookieKind: SchemeKind<"cookie"> = {
  section: "cookie",
  faults: ({ keys }) => faultsOf(["Keys", "Path"], () => readSecrets(keys ?? {})),
  create: (name, config, services) => new CookieScheme(name, config, services),
};

export const openIdConnectKind: SchemeKind<"openIdConnect"> = {
  section: "openIdConnect",
  faults: secretFaults,
  create: (name, config, services) => new RemoteScheme(name, config, { protocol: new OpenIdConnectProtocol(name, config, services), services }),
};

export const oAuth2Kind: SchemeKind<"oAuth2"> = {
  section: "oAuth2",
  faults: secretFaults,
  create: (name, config, services) => new RemoteScheme(name, config, { protocol: new OAuth2Protocol(config, services), services }),
};

export const wsFederationKind: SchemeKind<"wsFederation"> = {
  section: "wsFederation",
  faults: ({ certificates, thumbprints }) => (certificates === undefined ? [] : faultsOf(["Certificates"], () => keysIn(certificates, thumbprintSet(thumbprints)))),
  create: (name, config, services) => new RemoteScheme(name, config, { protocol: new WsFederationProtocol(name, config, services), services }),
};

function secretFaults({ clientSecretFile }: CodeFlowConfig): readonly SchemeFault[] {
  return clientSecretFile === undefined ? [] : faultsOf(["ClientSecretFile"], () => secretIn(clientSecretFile));
}

/** What `read` throws, as a fault of the member at `path`. */
function faultsOf(path: readonly string[], read: () => unknown): readonly SchemeFault[] {
  try {
    read();
    return [];
  } catch (error) {
    return [{ path, message: error instanceof Error ? error.message : String(error) }];
  }
}
