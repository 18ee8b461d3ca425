/** A browser as far as sign-ins need one: it follows redirects, posts forms that pages post, and keeps cookies by origin. */
import { HeaderList, type BodySource, type BodySink, type ResponseHead } from "@proxy/http";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeExchange } from "../../../pipeline/test/support/fake-exchange.ts";
import type { AuthenticationScheme } from "../../src/authentication/scheme.ts";

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly header: (name: string) => string | undefined;
}

export interface Ask {
  readonly method?: "GET" | "POST";
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export const publicOrigin = "https://app.test";

/** What a gateway with `schemes` answers: their endpoints, and otherwise a page for those whom `schemes[0]` knows. */
export function siteOf(schemes: readonly AuthenticationScheme[]) {
  return async (exchange: FakeExchange): Promise<void> => {
    const endpoint = schemes.flatMap(({ endpoints }) => endpoints ?? []).find(({ path }) => path === exchange.request.path);
    if (endpoint !== undefined) {
      if (!endpoint.methods.includes(exchange.request.method)) return exchange.response.send({ status: 405, headers: new HeaderList() });
      return endpoint.handle(exchange);
    }
    const [scheme] = schemes as readonly [AuthenticationScheme];
    const result = await scheme.authenticate(exchange);
    if (result.kind === "authenticated") {
      const head = { status: 200, headers: new HeaderList() };
      const { scheme: by, name, claims, accessToken } = result.identity;
      const seen = schemes.reduce((request, each) => each.withoutCredentials?.(request) ?? request, exchange.request);
      const body = JSON.stringify({ scheme: by, name, claims: Object.fromEntries(claims), accessToken, cookie: seen.headers.get("cookie") });
      return exchange.response.send(result.onResponse?.(head) ?? head, body);
    }
    if (result.kind === "unavailable") return exchange.response.send({ status: 503, headers: new HeaderList() });
    const challenge = await scheme.challenge(exchange, result);
    const changed = (head: ResponseHead): ResponseHead => (result.kind === "none" ? result.onResponse?.(head) : undefined) ?? head;
    if (challenge.kind === "answer") return exchange.response.send(changed(challenge.answer.head), challenge.answer.body);
    exchange.response.send(changed({ status: 401, headers: HeaderList.from(challenge.kind === "values" ? challenge.values.map((value) => ["WWW-Authenticate", value] as const) : []) }));
  };
}

export class TestBrowser {
  readonly #site: (exchange: FakeExchange) => Promise<void>;
  readonly #jars = new Map<string, Map<string, string>>();

  constructor(site: (exchange: FakeExchange) => Promise<void>) {
    this.#site = site;
  }

  /** The cookies that it has for the site, which tests may change. */
  get cookies(): Map<string, string> {
    return this.#jar(publicOrigin);
  }

  /** Opens a page as a person does, wherever it leads. */
  async open(path: string, ask: Ask = {}): Promise<Page> {
    return this.#follow(new URL(path, publicOrigin), ask, () => true);
  }

  /** The same, up to the first redirect that `until` wants to see: its page has the redirect's address. */
  async openUntil(path: string, until: (url: URL) => boolean, ask: Ask = {}): Promise<Page> {
    return this.#follow(new URL(path, publicOrigin), ask, (url) => !until(url));
  }

  /** One request and its answer, not followed. */
  async ask(url: URL, { method = "GET", form, headers = {} }: Ask = {}): Promise<Page> {
    const jar = this.#jar(url.origin);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const all: Record<string, string> = { Accept: "text/html", ...(cookie === "" ? {} : { Cookie: cookie }), ...headers };
    const body = form === undefined ? undefined : new URLSearchParams(form).toString();
    if (body !== undefined) all["Content-Type"] = "application/x-www-form-urlencoded";
    const page = url.origin === publicOrigin ? await this.#askSite(url, method, all, body) : await askOther(url, method, all, body);
    for (const line of page.setCookie) {
      const pair = line.split(";")[0] as string;
      const name = pair.slice(0, pair.indexOf("="));
      if (/; max-age=0(;|$)/i.test(line) || /; expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, pair.slice(name.length + 1));
    }
    return page;
  }

  async #follow(first: URL, ask: Ask, goOn: (url: URL) => boolean): Promise<Page> {
    let url = first;
    let next = ask;
    for (let hops = 0; hops < 20; hops++) {
      const page = await this.ask(url, next);
      const location = page.header("location");
      const posted = /<form method="post" action="([^"]+)">/.exec(page.text);
      if (posted !== null && page.text.includes("document.forms[0].submit()")) {
        url = new URL(posted[1] as string, url);
        const fields = [...page.text.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name as string, unescape(value as string)] as const);
        next = { method: "POST", form: Object.fromEntries(fields) };
        if (!goOn(url)) return { ...page, url: `${url.href}?${new URLSearchParams(next.form)}` };
        continue;
      }
      if (location === undefined || page.status < 300 || page.status > 399) return page;
      url = new URL(location, url);
      next = {};
      if (!goOn(url)) return { ...page, url: url.href };
    }
    throw new Error(`redirects have no end: ${url.href}`);
  }

  async #askSite(url: URL, method: string, headers: Readonly<Record<string, string>>, body: string | undefined) {
    const exchange = new FakeExchange({ method, target: url.pathname + url.search, authority: url.host, scheme: "https", headers: Object.entries(headers), ...(body === undefined ? {} : { body: bodyOf(body) }) });
    await this.#site(exchange);
    const { response } = exchange;
    return { url: url.href, status: response.status ?? 0, text: response.text, header: (name: string) => response.header(name), setCookie: response.head?.headers.getAll("set-cookie") ?? [] };
  }

  #jar(origin: string): Map<string, string> {
    const jar = this.#jars.get(origin) ?? new Map<string, string>();
    this.#jars.set(origin, jar);
    return jar;
  }
}

function unescape(html: string): string {
  return html.replace(/&quot;/g, '"').replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).replace(/&amp;/g, "&");
}

async function askOther(url: URL, method: string, headers: Readonly<Record<string, string>>, body: string | undefined) {
  const response = await fetch(url, { method, headers, redirect: "manual", ...(body === undefined ? {} : { body }) });
  return { url: url.href, status: response.status, text: await response.text(), header: (name: string) => response.headers.get(name) ?? undefined, setCookie: response.headers.getSetCookie() };
}

export function bodyOf(text: string): BodySource {
  let started = false;
  return {
    length: Buffer.byteLength(text),
    get started() {
      return started;
    },
    read(sink: BodySink) {
      started = true;
      if (text !== "") sink.onData(Buffer.from(text));
      sink.onEnd(undefined);
    },
    pause() {},
    resume() {},
    cancel() {
      started = true;
    },
  };
}
