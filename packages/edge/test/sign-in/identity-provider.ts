/** A certified identity provider on loopback, whose users sign in without being asked. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { Provider, errors, type ClientMetadata, type Configuration } from "oidc-provider";

export type Key = NonNullable<Configuration["jwks"]>["keys"][number];

export interface IdentityProvider {
  readonly issuer: string;
  readonly provider: Provider;
  /** With what it signs. */
  readonly key: Key;
  /** Requests so far: method and path. */
  readonly asked: string[];
  /** Whom the next sign-ins are for; undefined: they are refused. */
  user: string | undefined;
  /** Requests are answered once this resolves. */
  hold: Promise<void>;
  /** From now on tokens are signed with another key, and the one before is gone. */
  rotateKeys(): void;
  /** Connections are cut as soon as they are there. */
  stop(): void;
  /** Answers again, with what it knew before. */
  restart(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface IdentityProviderOptions {
  readonly redirectUris: readonly string[];
  readonly signedOutUris?: readonly string[];
  /** Seconds that access tokens last. */
  readonly accessTokenLifetime?: number;
  readonly client?: Partial<ClientMetadata>;
  /** Ask users with forms, as a person would be. */
  readonly forms?: boolean;
  readonly more?: Partial<Configuration>;
}

export const clientId = "gateway";
export const clientSecret = "a secret of the gateway at its provider";


/** Making one takes long: all providers begin with the same. */
let firstKey: Key | undefined;
const newKey = (): Key => ({ ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" }) as Key;

/** In memory, and kept when the keys change: as a provider with a database. */
class MemoryAdapter {
  readonly #entries: Map<string, Record<string, unknown>>;
  constructor(entries: Map<string, Record<string, unknown>>) {
    this.#entries = entries;
  }
  async upsert(id: string, payload: Record<string, unknown>): Promise<void> {
    this.#entries.set(id, payload);
  }
  async find(id: string): Promise<Record<string, unknown> | undefined> {
    return this.#entries.get(id);
  }
  async findByUserCode(): Promise<undefined> {}
  async findByUid(uid: string): Promise<Record<string, unknown> | undefined> {
    return [...this.#entries.values()].find((each) => each["uid"] === uid);
  }
  async consume(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry["consumed"] = Math.floor(Date.now() / 1000);
  }
  async destroy(id: string): Promise<void> {
    this.#entries.delete(id);
  }
  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, entry] of this.#entries) if (entry["grantId"] === grantId) this.#entries.delete(id);
  }
}

export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const asked: string[] = [];
  const stores = new Map<string, Map<string, Record<string, unknown>>>();
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split("?")[0]}`);
    void state.hold.then(() => handle(request, response));
  });
  let isDown = false;
  server.on("connection", (socket) => {
    if (isDown) socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const state: { user: string | undefined; hold: Promise<void> } = { user: "alice", hold: Promise.resolve() };
  let key = (firstKey ??= newKey());
  let provider = makeProvider();

  function makeProvider(): Provider {
    const made = new Provider(issuer, configurationOf(options, key, (name) => new MemoryAdapter(stores.get(name) ?? stores.set(name, new Map()).get(name)!)));
    const serve = made.callback();
    handle = (request, response) => {
      if (options.forms !== true && request.url?.startsWith("/interaction/") === true) void interact(made, state.user, request, response);
      else void serve(request, response);
    };
    return made;
  }

  return {
    issuer,
    asked,
    get key() {
      return key;
    },
    get provider() {
      return provider;
    },
    get user() {
      return state.user;
    },
    set user(user) {
      state.user = user;
    },
    get hold() {
      return state.hold;
    },
    set hold(until) {
      state.hold = until;
    },
    rotateKeys() {
      key = newKey();
      provider = makeProvider();
    },
    stop() {
      isDown = true;
      server.closeAllConnections();
    },
    restart() {
      isDown = false;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function configurationOf(options: IdentityProviderOptions, key: Key, adapter: (name: string) => MemoryAdapter): Configuration {
  return {
    adapter: adapter as unknown as NonNullable<Configuration["adapter"]>,
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [...options.redirectUris],
        post_logout_redirect_uris: [...(options.signedOutUris ?? [])],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "client_secret_post",
        ...options.client,
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ["a key of the provider's own cookies"] },
    claims: { openid: ["sub"], profile: ["name", "groups"], email: ["email"] },
    conformIdTokenClaims: false,
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: `${id} of the test`, groups: ["staff", "dev"], email: `${id}@example.test` }) }),
    loadExistingGrant: async (ctx) => {
      const before = ctx.oidc.session!.grantIdFor(ctx.oidc.client!.clientId);
      if (before !== undefined) return ctx.oidc.provider.Grant.find(before);
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client!.clientId, accountId: ctx.oidc.session!.accountId! });
      grant.addOIDCScope("openid profile email offline_access");
      await grant.save();
      return grant;
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    ttl: { AccessToken: options.accessTokenLifetime ?? 3600, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86_400, Interaction: 600, Session: 86_400, Grant: 86_400 },
    features: { devInteractions: { enabled: options.forms === true }, revocation: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    pkce: { required: () => true },
    ...(options.forms === true ? {} : { interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` } }),
    ...options.more,
  };
}

async function interact(provider: Provider, user: string | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const result = user === undefined ? { error: "access_denied", error_description: "no" } : { login: { accountId: user } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } catch (error) {
    response.writeHead(error instanceof errors.SessionNotFound ? 400 : 500).end();
  }
}
