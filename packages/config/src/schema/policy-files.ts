import { resolve } from "node:path";
import type { AuthenticationSchemeConfig } from "../authentication-config.ts";
import type { PoliciesConfig } from "../policies-config.ts";
import type { ShapePath } from "./read-shape.ts";

/** Files and folders that policies name stand beside the file that names them, wherever the process was started. */
export function resolvePolicyFiles(policies: PoliciesConfig, directoryOf: (path: ShapePath) => string): PoliciesConfig {
  const { staticFiles, authentication } = policies;
  const file = (text: string, ...path: (string | number)[]): string => resolve(directoryOf(path), text);
  return {
    ...policies,
    ...(staticFiles === undefined
      ? {}
      : { staticFiles: staticFiles.map((policy) => (policy.root ? { ...policy, root: file(policy.root, "StaticFiles", policy.name, "Root") } : policy)) }),
    ...(authentication === undefined ? {} : { authentication: authentication.map((scheme) => schemeFiles(scheme, (text, ...path) => file(text, "Authentication", scheme.name, ...path))) }),
  };
}

function schemeFiles(scheme: AuthenticationSchemeConfig, file: (text: string, ...path: (string | number)[]) => string): AuthenticationSchemeConfig {
  const { bearer, clientCertificate, cookie, openIdConnect, oAuth2, wsFederation } = scheme;
  const keyFile = bearer?.keyFile;
  const authorities = clientCertificate?.authorities;
  const lists = clientCertificate?.revocationLists;
  return {
    ...scheme,
    ...(keyFile ? { bearer: { ...bearer, keyFile: file(keyFile, "Bearer", "KeyFile") } } : {}),
    ...(clientCertificate === undefined
      ? {}
      : {
          clientCertificate: {
            ...clientCertificate,
            ...(authorities ? { authorities: file(authorities, "ClientCertificate", "Authorities") } : {}),
            ...(lists ? { revocationLists: lists.map((list, index) => file(list, "ClientCertificate", "RevocationLists", index)) } : {}),
          },
        }),
    ...(cookie?.keys?.path ? { cookie: { ...cookie, keys: { ...cookie.keys, path: file(cookie.keys.path, "Cookie", "Keys", "Path") } } } : {}),
    ...(openIdConnect?.clientSecretFile
      ? { openIdConnect: { ...openIdConnect, clientSecretFile: file(openIdConnect.clientSecretFile, "OpenIdConnect", "ClientSecretFile") } }
      : {}),
    ...(oAuth2?.clientSecretFile ? { oAuth2: { ...oAuth2, clientSecretFile: file(oAuth2.clientSecretFile, "OAuth2", "ClientSecretFile") } } : {}),
    ...(wsFederation?.certificates ? { wsFederation: { ...wsFederation, certificates: file(wsFederation.certificates, "WsFederation", "Certificates") } } : {}),
  };
}
