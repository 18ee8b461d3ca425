/** An identity provider to try the example with: whoever types a name is that user. */
import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Provider } from "oidc-provider";

export interface ExampleProvider {
  readonly issuer: string;
  readonly server: Server;
}

/** `site`: the origin of the gateway. */
export async function startProvider(port: number, site: string): Promise<ExampleProvider> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "spa",
        client_secret: "only for this example",
        redirect_uris: [`${site}/signin-login`],
        post_logout_redirect_uris: [`${site}/`],
        grant_types: ["authorization_code", "refresh_token"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" } as never] },
    cookies: { keys: ["only for this example"] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true }, revocation: { enabled: true } },
  });
  server.on("request", provider.callback());
  return { issuer, server };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { issuer } = await startProvider(4000, "http://localhost:8080");
  process.stdout.write(`users sign in at ${issuer}\n`);
}
