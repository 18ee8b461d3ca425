/** An issuer of tokens to try the gateway with. In the place of it stands an identity provider. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export interface Issuer {
  readonly url: string;
  /** A token for `orders-api`, good for an hour. */
  token(claims: Readonly<Record<string, unknown>>): Promise<string>;
  readonly server: Server;
}

export async function startIssuer(port = 0): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const key = { ...(await exportJWK(publicKey)), kid: "2026", alg: "ES256", use: "sig" };
  let url = "";
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url === "/.well-known/openid-configuration") response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }));
    else if (request.url === "/keys") response.end(JSON.stringify({ keys: [key] }));
    else response.writeHead(404).end();
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    server,
    token: (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "2026", typ: "at+jwt" }).setIssuer(url).setAudience("orders-api").setIssuedAt().setExpirationTime("1h").sign(privateKey),
  };
}

if (import.meta.main) {
  const issuer = await startIssuer(9000);
  process.stdout.write(`issuer at ${issuer.url}\n${await issuer.token({ sub: "ann", tenant: "north", scope: "orders.read orders.write" })}\n`);
}
