/** A party that signs people in by OAuth 2 as far as gateways see it, and a browser on raw sockets that shows every byte. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRaw } from "./raw-client.ts";

export interface SignInParty {
  readonly url: string;
  /** Requests so far: method, path, and body. */
  readonly asked: string[];
  /** What it says of whoever signs in. */
  claims: Readonly<Record<string, unknown>>;
  /** The section `OAuth2` for it. */
  readonly section: Readonly<Record<string, unknown>>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const publicOrigin = "https://app.test";

/** Gives tokens for the code `good` alone. */
export async function startSignInParty(): Promise<SignInParty> {
  const asked: string[] = [];
  const party = { claims: { sub: "ann" } as Readonly<Record<string, unknown>> };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (text: string) => (body += text));
    request.on("end", () => {
      asked.push(`${request.method} ${request.url} ${body}`);
      const json = (status: number, value: unknown): unknown => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
      if (request.url === "/me") return json(200, party.claims);
      if (new URLSearchParams(body).get("code") !== "good") return json(400, { error: "invalid_grant" });
      return json(200, { access_token: "access", token_type: "Bearer" });
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    get claims() {
      return party.claims;
    },
    set claims(claims) {
      party.claims = claims;
    },
    section: { AuthorizationEndpoint: `${url}/auth`, TokenEndpoint: `${url}/token`, UserInformationEndpoint: `${url}/me`, ClientId: "gateway", ClientSecret: "secret", PublicOrigin: publicOrigin },
    [Symbol.asyncDispose]: async () => {
      server.close().closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Keeps cookies, and sends further header lines as they are. */
export class RawBrowser {
  readonly cookies = new Map<string, string>();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  get cookieLine(): string {
    return this.cookies.size === 0 ? "" : `Cookie: ${[...this.cookies].map((pair) => pair.join("=")).join("; ")}\r\n`;
  }

  async get(target: string, head = "Accept: text/html\r\n"): Promise<string> {
    const answer = await getRaw(this.#port, target, "app.test", this.cookieLine + head);
    for (const [, name = "", value = "", rest = ""] of answer.matchAll(/\r\nSet-Cookie: ([^=]+)=([^;\r]*)([^\r]*)/g)) {
      if (rest.includes("Max-Age=0")) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  /** Where an answer leads to. */
  static locationOf(answer: string): string {
    return /\r\nLocation: ([^\r]+)/.exec(answer)?.[1] ?? "";
  }

  /** Signs in, beginning at `target`; gives where that led to in the end. */
  async signIn(target: string, callback = "/signin-hub"): Promise<string> {
    const state = new URL(RawBrowser.locationOf(await this.get(target))).searchParams.get("state");
    return RawBrowser.locationOf(await this.get(`${callback}?code=good&state=${state}`));
  }
}
