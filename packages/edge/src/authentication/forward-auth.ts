/**
 * Another service decides, asked for each request:
 *
 * 1. It is told the request by X-Forwarded-Method, -Proto, -Host, -Uri and -For, and the fields that are named; it gets no body.
 * 2. 2xx: the request passes, and the destination gets the fields of the answer that are named. What clients send under these names is removed on every route.
 * 3. Anything else below 500 goes to the client, with what says why and where to go: WWW-Authenticate, Location, Set-Cookie, and the body.
 * 4. No answer in time, one of 500 and above, or too many questions at a time: 503.
 */
import type { ForwardAuthConfig } from "@proxy/config";
import { clientAddressOf, HeaderList, isHeaderValue, type Exchange } from "@proxy/http";
import { askService, type ServiceAnswer } from "./ask-service.ts";
import type { Answer, AuthenticationResult, AuthenticationScheme, Challenge, Identity, SchemeServices } from "./scheme.ts";
import type { SchemeKind } from "./scheme-kind.ts";

export const forwardAuthKind: SchemeKind<"forwardAuth"> = {
  section: "forwardAuth",
  create: (name, config, services) => new ForwardAuthScheme(name, config, services),
};

/** Fields of a refusal that are the client's business. */
const refusalFields = ["content-type", "content-language", "location", "www-authenticate", "retry-after", "cache-control"] as const;

class ForwardAuthScheme implements AuthenticationScheme {
  readonly name: string;
  readonly forwardedFields: readonly string[];
  readonly #config: ForwardAuthConfig;
  readonly #services: SchemeServices;
  readonly #requestFields: readonly string[];
  readonly #most: number;
  #asking = 0;

  constructor(name: string, config: ForwardAuthConfig, services: SchemeServices) {
    this.name = name;
    this.forwardedFields = config.responseHeaders ?? [];
    this.#config = config;
    this.#services = services;
    this.#requestFields = (config.requestHeaders ?? ["authorization", "cookie"]).map((field) => field.toLowerCase());
    this.#most = config.maxConcurrency ?? 256;
  }

  /** Answers as well when the configuration changes meanwhile: those who ask were there before. */
  async authenticate(exchange: Exchange): Promise<AuthenticationResult> {
    if (this.#asking >= this.#most) return { kind: "unavailable", reason: "too many questions at a time", retryAfter: 1 };
    this.#asking++;
    const gone = new AbortController();
    exchange.onClientGone(() => gone.abort());
    try {
      return this.#read(await this.#ask(exchange, gone.signal));
    } catch (error) {
      if (!gone.signal.aborted) this.#services.log.event("warning", "forward-auth-failed", { scheme: this.name, error });
      return unavailable;
    } finally {
      this.#asking--;
    }
  }

  /** It had its say: what else there is to say, other schemes do. */
  challenge(): Challenge {
    return { kind: "none" };
  }

  #ask(exchange: Exchange, signal: AbortSignal): Promise<ServiceAnswer> {
    const { url = "", method, timeout = 5000, maxBodySize = 65_536 } = this.#config;
    const { request } = exchange;
    const shown = this.#services.withoutOwnCredentials(request).headers;
    const headers = new Map<string, string>();
    for (const field of this.#requestFields) {
      const values = shown.getAll(field);
      if (values.length > 0) headers.set(field, values.join(field === "cookie" ? "; " : ", "));
    }
    headers.set("x-forwarded-method", request.method);
    headers.set("x-forwarded-proto", request.scheme);
    headers.set("x-forwarded-host", request.authority);
    headers.set("x-forwarded-uri", (request.pathBase ?? "") + request.path + request.query);
    headers.set("x-forwarded-for", clientAddressOf(exchange) ?? "unknown");
    return askService(this.#services.fetch, { url, method, headers: Object.fromEntries(headers), timeout, maxBytes: maxBodySize, redirects: true, signal });
  }

  #read(answer: ServiceAnswer): AuthenticationResult {
    const { status } = answer;
    if (status >= 200 && status < 300) return { kind: "authenticated", identity: this.#identity(answer.headers) };
    if (status >= 500) {
      this.#services.log.event("warning", "forward-auth-failed", { scheme: this.name, status });
      return unavailable;
    }
    return { kind: "answered", answer: refusalOf(answer) };
  }

  #identity(headers: Headers): Identity {
    const fields = new Map<string, readonly string[]>();
    const claims = new Map<string, readonly string[]>();
    for (const name of this.forwardedFields) {
      const value = headers.get(name);
      if (value === null || value === "" || !isHeaderValue(value)) continue;
      fields.set(name, [value]);
      claims.set(name.toLowerCase(), [value]);
    }
    const { nameHeader } = this.#config;
    return { scheme: this.name, name: nameHeader === undefined ? undefined : claims.get(nameHeader.toLowerCase())?.[0], claims, fields };
  }
}

const unavailable: AuthenticationResult = { kind: "unavailable", reason: "the service that decides cannot be asked", retryAfter: 5 };

function refusalOf({ status, headers, body }: ServiceAnswer): Answer {
  const shown = new HeaderList();
  for (const name of refusalFields) {
    const value = headers.get(name);
    if (value !== null && isHeaderValue(value)) shown.append(name, value);
  }
  for (const cookie of headers.getSetCookie()) if (isHeaderValue(cookie)) shown.append("set-cookie", cookie);
  return { head: { status, headers: shown }, body };
}
