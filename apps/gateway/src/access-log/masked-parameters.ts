import { defaultCallbackPath } from "@proxy/config";
import type { AuthenticationSchemeConfig, ProxyConfig } from "@proxy/config";

/** Parameters that hold credentials wherever they stand: tokens (RFC 6750, 2.3; OpenID Connect and its logout), answers of SAML and WS-Federation. */
const alwaysMasked = ["access_token", "refresh_token", "id_token", "id_token_hint", "logout_token", "client_secret", "SAMLResponse", "wresult"];

/** What answers to a sign-in hold (RFC 6749, 4.1.2; WS-Federation 1.2). Elsewhere these names mean anything: the state of an order, the code of a country. */
const maskedAtCallbacks = ["code", "state", "wctx"];

/** Where a sign-in leads back to: what the query of the page held stands in it, encoded, a refused API key too. */
const returnUrl = "returnurl";

const mask = "***";

/**
 * Writes `***` for the values of query parameters that hold secrets, and for the query within a `returnUrl`; everything else keeps its bytes.
 * Names are compared decoded and in any case: a key under a name that is not quite right is a key still.
 */
export class MaskedParameters {
  readonly #everywhere: Set<string>;
  readonly #atCallbacks: ReadonlySet<string> = new Set(maskedAtCallbacks);
  readonly #callbackPaths = new Set<string>();
  #longestName: number;

  /** `further` are names, not encoded. */
  constructor(further: readonly string[] = []) {
    this.#everywhere = new Set([...alwaysMasked, ...further].map(comparable));
    this.#longestName = longestOf(this.#everywhere);
  }

  /**
   * Masks the keys and sign-ins of `config` too. What it does not have any more stays masked: clients go on sending it for a while, and requests
   * that began before end after.
   */
  add({ policies }: ProxyConfig): void {
    for (const scheme of policies?.authentication ?? []) {
      if (scheme.apiKey?.query) this.#everywhere.add(comparable(scheme.apiKey.query));
      const path = callbackPathOf(scheme);
      if (path !== undefined) this.#callbackPaths.add(path);
    }
    this.#longestName = longestOf(this.#everywhere);
  }

  /** `target` as it may be logged. `path` is that of the request, by which sign-ins go. */
  inTarget(target: string, path: string): string {
    const mark = target.indexOf("?");
    return mark < 0 ? target : this.#masked(target, mark + 1, this.#callbackPaths.has(path));
  }

  /** The same for a URL that a client names, such as that of the page it comes from. */
  inUrl(url: string): string {
    const mark = url.indexOf("?");
    return mark < 0 ? url : this.#masked(url, mark + 1, this.#callbackPaths.has(pathOf(url.slice(0, mark))));
  }

  #masked(text: string, start: number, isCallback: boolean): string {
    let clean = "";
    let kept = 0;
    let equals = start - 1;
    for (let from = start, end = 0; from < text.length; from = end + 1) {
      end = text.indexOf("&", from);
      if (end < 0) end = text.length;
      if (equals < from) equals = text.indexOf("=", from);
      if (equals < 0) break;
      if (equals > end) continue;
      const secret = this.#secretIn(text, { from, equals, end, isCallback });
      if (secret < 0) continue;
      clean += text.slice(kept, secret) + mask;
      kept = end;
    }
    return kept === 0 ? text : clean + text.slice(kept);
  }

  /** Where what must not be written begins; negative: nowhere. */
  #secretIn(text: string, { from, equals, end, isCallback }: Parameter): number {
    // Of a byte encoding makes three.
    if (equals - from > this.#longestName * 3) return -1;
    const sent = text.slice(from, equals);
    const name = (sent.includes("%") || sent.includes("+") ? decoded(sent) : sent).toLowerCase();
    if (this.#everywhere.has(name) || this.#everywhere.has(sent.toLowerCase()) || (isCallback && this.#atCallbacks.has(name))) return equals + 1;
    if (name !== returnUrl) return -1;
    const query = /\?|%3f/i.exec(text.slice(equals + 1, end));
    return query === null ? -1 : equals + 1 + query.index + query[0].length;
  }
}

/** Where a parameter of a text has its name, its `=`, and its end. */
interface Parameter {
  readonly from: number;
  readonly equals: number;
  readonly end: number;
  readonly isCallback: boolean;
}

/** Each byte a character, as decoded targets are. */
function comparable(name: string): string {
  return Buffer.from(name).toString("latin1").toLowerCase();
}

function longestOf(names: ReadonlySet<string>): number {
  return Math.max(...Array.from(names, (name) => name.length));
}

/** As forms are decoded, byte by byte; never throws, which a client could make expensive. */
function decoded(name: string): string {
  return name.replaceAll("+", " ").replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function pathOf(url: string): string {
  const authority = url.indexOf("://");
  if (authority < 0) return url;
  const path = url.indexOf("/", authority + 3);
  return path < 0 ? "/" : url.slice(path);
}

function callbackPathOf({ name, openIdConnect, oAuth2, wsFederation }: AuthenticationSchemeConfig): string | undefined {
  const config = openIdConnect ?? oAuth2 ?? wsFederation;
  return config && (config.callbackPath ?? defaultCallbackPath(name));
}
